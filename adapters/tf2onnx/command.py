"""Run tf2onnx as its own command, so that everything (names, opset, options) is as the raw converter makes it."""

from __future__ import annotations

import sys

import onnx
from tf2onnx import convert

from safeconvert.adapter_api.protocol import ConvertRequest
from safeconvert.core.formats import detect
from safeconvert.errors import UnusableInput

from .._shared.tf_files import open_tf
from .._shared.tf_inspect import inspect_checkpoint, inspect_saved_model
from .._shared.untrusted.keras_config import inspect_keras
from .._shared.untrusted.tflite_operators import inspect_tflite_file

_SOURCES = {
    "saved_model": "--saved-model", "keras_v3": "--keras", "h5": "--keras", "tflite": "--tflite",
    "frozen_graph": "--graphdef", "checkpoint": "--checkpoint",
}  # fmt: skip


def run_command(step: ConvertRequest) -> onnx.ModelProto:
    """Convert with the arguments of `python -m tf2onnx.convert`, all but the source and the output.

    Raises:
        UnusableInput: tf2onnx refuses the arguments, or would convert another signature than the one opened.
    """
    own = list(step.arguments["command_line"])
    variant = detect(step.model.path).variant
    _inspect(step, variant)
    if variant == "saved_model" and not step.model.part.signature:
        _require_one_signature(step)
    before = sys.argv
    sys.argv = ["tf2onnx.convert", _SOURCES[variant], step.model.path, "--output", step.target, *own]
    try:
        convert.main()
    except SystemExit as error:
        raise UnusableInput(f"tf2onnx refuses its arguments: {' '.join(own)}", "see its own --help") from error
    finally:
        sys.argv = before
    return onnx.load(step.target)


def _inspect(step: ConvertRequest, variant: str) -> None:
    """tf2onnx opens the source itself. Raises UnusableInput where it holds what would run or read more than the model."""
    if variant in ("keras_v3", "h5"):
        inspect_keras(step.model, variant)
    elif variant == "tflite":
        inspect_tflite_file(step.model)
    elif variant == "saved_model":
        inspect_saved_model(step.model)
    elif variant == "checkpoint":
        inspect_checkpoint(step.model, whole=True)
    else:
        open_tf(step.model)


def _require_one_signature(step: ConvertRequest) -> None:
    """tf2onnx 1.17 takes the first signature, whatever its name; Keras writes the same one as serve and serving_default."""
    file = open_tf(step.model)
    names = [name for name in file.owner.signatures if not name.startswith("_")]
    if names[0] != file.signature_key and set(names) != {"serve", "serving_default"}:
        raise UnusableInput(
            f"{step.model.path}: has several signatures ({', '.join(names)}), and tf2onnx takes the first",
            f"say which with --signature_def {names[0]}",
        )
