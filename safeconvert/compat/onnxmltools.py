"""`onnxmltools`: `convert_keras` with its own signature (onnxmltools 1.16), verified against the Keras model."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safeconvert.compat._session import Job, converted, refuse
from safeconvert.errors import UnusableInput

if TYPE_CHECKING:
    import onnx

_UNUSED = "onnxmltools itself only warns that it has no effect"


def convert_keras(
    model: Any,
    name: str | None = None,
    initial_types: Sequence[tuple[str, Any]] | None = None,
    doc_string: str = "",
    target_opset: int | None = None,
    targeted_onnx: str | None = None,
    channel_first_inputs: Sequence[str] | None = None,
    custom_conversion_functions: Any = None,
    custom_shape_calculators: Any = None,
    default_batch_size: int = 1,
) -> onnx.ModelProto:
    """A Keras model as an ONNX ModelProto.

    Raises:
        NotEquivalent: the ONNX model is not the same function.
        UnusableInput: an argument that cannot be honoured, by name; a model of layers or code of its own.
    """
    function = "onnxmltools.convert_keras"
    refuse(
        function, _UNUSED, targeted_onnx=targeted_onnx, custom_conversion_functions=custom_conversion_functions,
        custom_shape_calculators=custom_shape_calculators, default_batch_size=default_batch_size != 1,
    )  # fmt: skip
    import onnx

    from safeconvert.compat._capture_tf import is_plain, save_keras

    if not is_plain(model):
        raise UnusableInput(
            f"{function}: the model has layers or code of its own, which no .keras file can hold",
            "use safeconvert.compat.tf2onnx.convert.from_keras, which freezes it",
        )
    arguments = {
        "name": name,
        "doc_string": doc_string,
        "channel_first_inputs": list(channel_first_inputs) if channel_first_inputs else None,
        "initial_types": [[n, type(kind).__name__, list(kind.shape)] for n, kind in initial_types or []] or None,
    }
    with tempfile.TemporaryDirectory(prefix="safeconvert-source-") as folder:
        source = save_keras(function, model, Path(folder))
        with converted(Job(source, "onnx", "onnxmltools", "model.onnx", arguments, opset=target_opset or 0)) as path:
            return onnx.load(path)
