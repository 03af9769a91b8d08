"""`python -m safeconvert.compat.tf2onnx`: the arguments of `python -m tf2onnx.convert` 1.17, the target verified.

tf2onnx itself runs with the very arguments, in a worker, so that names, opset and shapes are those of the raw converter. The
source is opened at the same signature, tags, inputs and outputs, and what the target is run on comes from the settings file.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from safeconvert.adapter_api.protocol import ModelPart
from safeconvert.errors import ExitCode, UnusableInput

_SOURCES = ("graphdef", "input", "saved_model", "checkpoint", "keras", "tflite", "tfjs")

REFUSED = {
    "tfjs": "TensorFlow.js models cannot be run here, so that the target could not be verified",
    "large_model": "the target is verified as an .onnx file, not as a zip archive",
    "concrete_function": "the source is called through a signature; say which with --signature_def",
    "custom_ops": "ONNX Runtime has no kernel for operators of one's own, so that the target could not be verified",
    "load_op_libraries": "operators of one's own cannot be run here, so that the target could not be verified",
    "ignore_default": "a PlaceholderWithDefault is run with its default when the source is run",
    "use_default": "a PlaceholderWithDefault is run with its default when the source is run",
    "output_frozen_graph": "it would be written whether the target verifies or not",
    "debug": "the converter runs in a worker; its log is kept where it fails",
}
"""Options that are refused, by the name that argparse gives them, with the reason."""

PASSED = {
    "rename_inputs": "--rename-inputs", "rename_outputs": "--rename-outputs", "opset": "--opset", "tag": "--tag",
    "signature_def": "--signature_def", "inputs": "--inputs", "outputs": "--outputs", "extra_opset": "--extra_opset",
    "target": "--target", "inputs_as_nchw": "--inputs-as-nchw", "outputs_as_nchw": "--outputs-as-nchw",
}  # fmt: skip
SWITCHES = {
    "use_graph_names": "--use-graph-names",
    "dequantize": "--dequantize",
    "continue_on_error": "--continue_on_error",
}
HONOURED = frozenset({*PASSED, *SWITCHES, *_SOURCES, "output", "verbose"} - {*REFUSED})
"""Options that are honoured: by tf2onnx itself, by how the source is opened, or here."""

_TARGETS = ("rs4", "rs5", "rs6", "caffe2", "tensorrt", "nhwc")


@dataclass(frozen=True)
class Command:
    """A parsed command line.

    Attributes:
        source: the model.
        output: where the verified target goes.
        part: which part of the model is meant.
        shapes: of inputs, where the command line gives them.
        own: the arguments for tf2onnx itself, all but source and output.
        verbose: print the certificate too.
    """

    source: Path
    output: Path
    part: ModelPart
    shapes: dict[str, tuple[int, ...]]
    own: tuple[str, ...]
    verbose: bool


def parser() -> argparse.ArgumentParser:
    """The options of tf2onnx' own parser."""
    made = argparse.ArgumentParser(
        "python -m safeconvert.compat.tf2onnx",
        description="Convert TensorFlow, Keras and TFLite models to ONNX with tf2onnx, verified. Takes the arguments of "
        "python -m tf2onnx.convert; exit codes are those of safeconvert.",
    )
    for name in ("input", "graphdef", "saved-model", "tag", "signature_def", "checkpoint", "keras", "tflite", "tfjs",
                 "output", "inputs", "outputs", "ignore_default", "use_default", "rename-inputs", "rename-outputs",
                 "custom-ops", "extra_opset", "load_op_libraries", "output_frozen_graph", "inputs-as-nchw",
                 "outputs-as-nchw"):  # fmt: skip
        made.add_argument(f"--{name}")
    made.add_argument("--concrete_function", type=int)
    made.add_argument("--opset", type=int)
    made.add_argument("--target", choices=_TARGETS)
    for name in ("large_model", "use-graph-names", "dequantize", "continue_on_error", "debug"):
        made.add_argument(f"--{name}", action="store_true")
    made.add_argument("--verbose", "-v", action="count")
    return made


def parse(arguments: list[str]) -> Command:
    """Parse a command line.

    Raises:
        UnusableInput: an option that cannot be honoured, by name; no source, several, or no output.
        SystemExit: argparse refuses it.
    """
    given = vars(parser().parse_args(arguments))
    for name, why in REFUSED.items():
        if given[name] not in (None, False):
            option = next(a.option_strings[0] for a in parser()._actions if a.dest == name)
            raise UnusableInput(
                f"{option} cannot be honoured: {why}", "leave it out, or run tf2onnx and safeconvert verify"
            )
    sources = {name: given[name] for name in _SOURCES if given[name]}
    if len(sources) != 1:
        listed = " and ".join(sources) or "none"
        raise UnusableInput(
            f"one source is needed, given: {listed}",
            "give one of --saved-model, --keras, --tflite, --graphdef, --checkpoint",
        )
    if not given["output"]:
        raise UnusableInput(
            "--output is needed: a target that is written nowhere cannot be certified", "--output model.onnx"
        )
    ((kind, source),) = sources.items()
    inputs, shapes = _names_and_shapes(given["inputs"])
    outputs = tuple((given["outputs"] or "").split(",")) if given["outputs"] else ()
    if kind in ("graphdef", "input", "checkpoint") and not (inputs and outputs):
        raise UnusableInput(
            "graphdef and checkpoint models need to provide inputs and outputs", "--inputs x:0 --outputs y:0"
        )
    if kind in ("keras", "tflite") and (inputs or outputs):
        raise UnusableInput(
            f"--inputs and --outputs cannot be honoured for --{kind}: only the whole model can be run and compared",
            "leave them out",
        )
    if given["dequantize"] and kind != "tflite":
        raise UnusableInput("--dequantize: is for --tflite only", "leave it out")
    own = [word for name, option in PASSED.items() if given[name] is not None for word in (option, str(given[name]))]
    own += [option for name, option in SWITCHES.items() if given[name]]
    part = ModelPart(
        given["signature_def"] or "", tuple((given["tag"] or "").split(",")) if given["tag"] else (), inputs, outputs
    )
    return Command(Path(source), Path(given["output"]), part, shapes, tuple(own), bool(given["verbose"]))


def main(arguments: list[str] | None = None) -> None:
    """Convert as the command line says; ends the process with safeconvert's exit code."""
    from safeconvert.compat._command import execute

    words = sys.argv[1:] if arguments is None else arguments
    if not words:
        parser().print_help()
        sys.exit(2)
    execute(lambda: _run(parse(words)))


def _run(command: Command) -> ExitCode:
    from safeconvert.compat._command import convert
    from safeconvert.compat._session import Job

    job = Job(
        command.source, "onnx", "tf2onnx", command.output.name, {"command_line": list(command.own)}, command.output,
        command.part, command.shapes,
    )  # fmt: skip
    return convert([job], False, command.verbose)


def _names_and_shapes(text: str | None) -> tuple[tuple[str, ...], dict[str, tuple[int, ...]]]:
    """`x:0[1,28,28,3],y:0`: the names, and the shapes by the input's name; a size below zero is free."""
    names, shapes = [], {}
    for name, shape in re.findall(r"([\w/\-.:]+)(\[[\-\d,]+\])?,?", text or ""):
        names.append(name)
        if shape:
            shapes[name.removesuffix(":0")] = tuple(max(int(size), 0) for size in shape[1:-1].split(","))
    return tuple(names), shapes
