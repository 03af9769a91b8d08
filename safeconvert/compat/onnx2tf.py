"""`python -m safeconvert.compat.onnx2tf`: the arguments of the `onnx2tf` command (1.29), every target verified.

onnx2tf itself pins versions that do not go with the others: it is run first where its adapter is installed in an environment of
its own (`safeconvert adapters install onnx2tf`), and otherwise, or where its target does not verify, the other routes from ONNX
to a SavedModel, to TFLite and to Keras. They write what it writes, under the same names in the output folder, with inputs
channels last as it makes them. Options that steer onnx2tf's own conversion cannot be honoured and are refused by name.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safeconvert.errors import ExitCode, UnusableInput

if TYPE_CHECKING:
    from safeconvert.compat._session import Job

_OWN = "it steers onnx2tf's own conversion, and other converters run here"
_CALIBRATED = (
    "full integer quantisation needs calibration data; use safeconvert.compat.tflite with a representative_dataset"
)
_BATCH = "the batch stays as the ONNX model has it; set it there"

# Short and long name, and how many values the option takes: none, one, or many (onnx2tf 1.29.24).
OPTIONS = (
    ("-i", "--input_onnx_file_path", 1), ("-V", "--version", 0), ("-o", "--output_folder_path", 1),
    ("-osd", "--output_signaturedefs", 0), ("-oh5", "--output_h5", 0), ("-okv3", "--output_keras_v3", 0),
    ("-otfv1pb", "--output_tfv1_pb", 0), ("-ow", "--output_weights", 0),
    ("-coion", "--copy_onnx_input_output_names_to_tflite", 0),
    ("-odrqt", "--output_dynamic_range_quantized_tflite", 0), ("-oiqt", "--output_integer_quantized_tflite", 0),
    ("-qt", "--quant_type", 1), ("-qnm", "--quant_norm_mean", 1), ("-qns", "--quant_norm_std", 1),
    ("-cind", "--custom_input_op_name_np_data_path", 2), ("-iqd", "--input_quant_dtype", 1),
    ("-oqd", "--output_quant_dtype", 1), ("-nuo", "--not_use_onnxsim", 0), ("-nuonag", "--not_use_opname_auto_generate", 0),
    ("-b", "--batch_size", 1), ("-ois", "--overwrite_input_shape", 2), ("-sh", "--shape_hints", 2),
    ("-vh", "--value_hints", 2), ("-nlt", "--no_large_tensor", 0), ("-onwdt", "--output_nms_with_dynamic_tensor", 0),
    ("-snms", "--switch_nms_version", 1), ("-k", "--keep_ncw_or_nchw_or_ncdhw_input_names", 2),
    ("-kt", "--keep_nwc_or_nhwc_or_ndhwc_input_names", 2), ("-kat", "--keep_shape_absolutely_input_names", 2),
    ("-inimc", "--input_names_to_interrupt_model_conversion", 2),
    ("-onimc", "--output_names_to_interrupt_model_conversion", 2), ("-easm", "--enable_auto_split_model", 0),
    ("-asmsm", "--auto_split_max_size_mb", 1), ("-dgc", "--disable_group_convolution", 0),
    ("-eatfp16", "--enable_accumulation_type_float16", 0), ("-ebu", "--enable_batchmatmul_unfold", 0),
    ("-eru", "--enable_rnn_unroll", 0), ("-dsft", "--disable_suppression_flextranspose", 0),
    ("-nodaftc", "--number_of_dimensions_after_flextranspose_compression", 1),
    ("-dsfs", "--disable_suppression_flexstridedslice", 0), ("-dsm", "--disable_strict_mode", 0),
    ("-doem", "--disable_onnxruntime_output_memmap", 0), ("-oemd", "--onnxruntime_output_memmap_dir", 1),
    ("-nodafsc", "--number_of_dimensions_after_flexstridedslice_compression", 1),
    ("-ofgd", "--optimization_for_gpu_delegate", 0), ("-rari64", "--replace_argmax_to_reducemax_and_indices_is_int64", 0),
    ("-rarf32", "--replace_argmax_to_reducemax_and_indices_is_float32", 0),
    ("-rafi64", "--replace_argmax_to_fused_argmax_and_indices_is_int64", 0),
    ("-raff32", "--replace_argmax_to_fused_argmax_and_indices_is_float32", 0), ("-fasr", "--fused_argmax_scale_ratio", 1),
    ("-rtpo", "--replace_to_pseudo_operators", 2), ("-me", "--mvn_epsilon", 1), ("-prf", "--param_replacement_file", 1),
    ("-cgdc", "--check_gpu_delegate_compatibility", 0), ("-coto", "--check_onnx_tf_outputs_elementwise_close", 0),
    ("-cotof", "--check_onnx_tf_outputs_elementwise_close_full", 0),
    ("-coton", "--check_onnx_tf_outputs_sample_data_normalization", 1),
    ("-cotor", "--check_onnx_tf_outputs_elementwise_close_rtol", 1),
    ("-cotoa", "--check_onnx_tf_outputs_elementwise_close_atol", 1), ("-agj", "--auto_generate_json", 0),
    ("-agje", "--auto_generate_json_on_error", 0), ("-dms", "--disable_model_save", 0), ("-n", "--non_verbose", 0),
    ("-v", "--verbosity", 1),
)  # fmt: skip

HONOURED = {
    "-i": "the source", "-V": "prints safeconvert's version", "-o": "the output folder",
    "-osd": "SavedModels here always have signatures", "-okv3": "<name>_float32.keras too",
    "-odrqt": "<name>_dynamic_range_quant.tflite too", "-nuo": "onnxsim is never used here",
    "-nuonag": "operators are never renamed here", "-doem": "there is no such inference here",
    "-coto": "outputs are always compared", "-cotof": "outputs are always compared, of the whole net",
    "-cotor": "the relative tolerance, of a sample's scale", "-cotoa": "the absolute tolerance",
    "-n": "prints errors only", "-v": "warn and error print errors only",
}  # fmt: skip
"""Options that are honoured, and how."""

REFUSED = {
    "-oiqt": _CALIBRATED, "-qt": _CALIBRATED, "-qnm": _CALIBRATED, "-qns": _CALIBRATED, "-iqd": _CALIBRATED,
    "-oqd": _CALIBRATED, "-b": _BATCH, "-ois": _BATCH + ", or use safeconvert onnx2tflite --input-shape",
    "-cind": "what the models are run on stands in the settings file, under [flags] inputs",
    "-oh5": "Keras targets are .keras files; -okv3 writes one", "-dms": "a target that is not written cannot be certified",
    "-k": "inputs become channels last here", "-kat": "inputs become channels last here",
}  # fmt: skip
"""Why options are refused, where the reason is not that they steer onnx2tf's own conversion."""


@dataclass(frozen=True)
class Command:
    """A parsed command line: source, folder, what is written besides SavedModel and TFLite, tolerances, and whether to talk."""

    source: Path
    folder: Path
    keras: bool
    dynamic_range: bool
    rtol: float | None
    atol: float | None
    quiet: bool


def parser() -> argparse.ArgumentParser:
    """The options of onnx2tf's own parser."""
    made = argparse.ArgumentParser(
        "python -m safeconvert.compat.onnx2tf",
        description="Convert an ONNX model to a SavedModel folder with TFLite files in it, each verified. Takes the arguments of "
        "onnx2tf; exit codes are those of safeconvert.",
    )
    for short, long, values in OPTIONS:
        text = HONOURED.get(short, "refused")
        if values == 0:
            made.add_argument(short, long, action="store_true", help=text)
        elif values == 1:
            made.add_argument(short, long, help=text)
        else:
            made.add_argument(short, long, nargs="*", action="append", help=text)
    return made


def parse(arguments: list[str]) -> Command:
    """Parse a command line.

    Raises:
        UnusableInput: an option that cannot be honoured, by name; no source; a tolerance that is no number.
        SystemExit: argparse refuses it, or --version.
    """
    given = vars(parser().parse_args(arguments))
    if given["version"]:
        from safeconvert import __version__

        print(f"safeconvert {__version__}")
        sys.exit(0)
    for short, long, _ in OPTIONS:
        if short not in HONOURED and given[long.removeprefix("--")] not in (None, False):
            raise UnusableInput(
                f"{short} ({long}) cannot be honoured: {REFUSED.get(short, _OWN)}",
                "leave it out, or run onnx2tf and safeconvert verify",
            )
    if not given["input_onnx_file_path"]:
        raise UnusableInput("-i (--input_onnx_file_path) is needed: the ONNX model", "-i model.onnx")
    return Command(
        source=Path(given["input_onnx_file_path"]),
        folder=Path(given["output_folder_path"] or "saved_model"),
        keras=given["output_keras_v3"],
        dynamic_range=given["output_dynamic_range_quantized_tflite"],
        rtol=_number("-cotor", given["check_onnx_tf_outputs_elementwise_close_rtol"]),
        atol=_number("-cotoa", given["check_onnx_tf_outputs_elementwise_close_atol"]),
        quiet=given["non_verbose"] or given["verbosity"] in ("warn", "error"),
    )


def jobs(command: Command) -> list[Job]:
    """What is written: the SavedModel, and in its folder float32 and float16 TFLite and what else was asked for."""
    from safeconvert.compat._session import Job

    stem = command.source.name.removesuffix(".onnx")

    def job(target_format: str, output: Path, optimize: str = "none") -> Job:
        return Job(command.source, target_format, "", output.name, output=output, optimize=optimize)

    made = [
        job("tf", command.folder),
        job("tflite", command.folder / f"{stem}_float32.tflite"),
        job("tflite", command.folder / f"{stem}_float16.tflite", "float16"),
    ]
    if command.dynamic_range:
        made.append(job("tflite", command.folder / f"{stem}_dynamic_range_quant.tflite", "default"))
    if command.keras:
        made.append(job("keras", command.folder / f"{stem}_float32.keras"))
    return made


def main(arguments: list[str] | None = None) -> None:
    """Convert as the command line says; ends the process with safeconvert's exit code."""
    from safeconvert.compat._command import execute

    words = sys.argv[1:] if arguments is None else arguments
    execute(lambda: _run(parse(words)))


def _run(command: Command) -> ExitCode:
    from safeconvert.app import runs
    from safeconvert.compat._command import convert
    from safeconvert.compat._session import checking

    with checking(rtol=command.rtol, atol=command.atol) as checked:
        code = convert(jobs(command), command.quiet, False)
        if checked.outcomes and checked.outcomes[0].exit_code is ExitCode.VERIFIED:
            runs.certify_again(checked.outcomes[0], checked.key)  # its folder holds more files now
    return code


def _number(option: str, text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        raise UnusableInput(f"{option} {text}: not a number", "write it as 1e-4") from None


if __name__ == "__main__":
    main()
