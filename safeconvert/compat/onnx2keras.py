"""`onnx2keras`: `onnx_to_keras` with its own signature (onnx2keras 0.0.25), verified against the ONNX model."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safeconvert.compat._session import Job, converted
from safeconvert.compat.onnx2torch import saved_onnx
from safeconvert.errors import UnusableInput

if TYPE_CHECKING:
    import onnx


def onnx_to_keras(
    onnx_model: onnx.ModelProto,
    input_names: Sequence[str],
    input_shapes: Sequence[Sequence[int | None]] | None = None,
    name_policy: str | None = None,
    verbose: bool = True,
    change_ordering: bool = False,
) -> Any:
    """An ONNX model as a Keras model without Lambda layers; what the converter prints goes to its worker's log.

    Raises:
        NotEquivalent: the Keras model is not the same function.
        UnusableInput: the model cannot be used, or `input_names` are not its inputs.
    """
    import keras

    initializers = {tensor.name for tensor in onnx_model.graph.initializer}
    inputs = [value.name for value in onnx_model.graph.input if value.name not in initializers]
    if list(input_names) != inputs:
        raise UnusableInput(
            f"onnx2keras.onnx_to_keras: input_names {list(input_names)} cannot be honoured: only the whole model, with its "
            "inputs in their own order, can be run and compared",
            f"its inputs are {inputs}",
        )
    arguments: dict[str, Any] = {
        "name_policy": name_policy,
        "verbose": verbose,
        "change_ordering": bool(change_ordering),
    }
    shapes: dict[str, tuple[int, ...]] = {}
    if input_shapes:
        arguments["input_shapes"] = [list(shape) for shape in input_shapes]
        shapes = {name: (0, *(size or 0 for size in shape)) for name, shape in zip(inputs, input_shapes, strict=True)}
    with tempfile.TemporaryDirectory(prefix="safeconvert-source-") as folder:
        source = saved_onnx(onnx_model, Path(folder))
        job = Job(source, "keras", "onnx2keras", "model.keras", arguments, shapes=shapes)
        with converted(job) as path:
            return keras.models.load_model(path, compile=False)
