"""Runs ONNX models with ONNX Runtime, on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.adapter_api.shapes import with_given_shapes
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput
from safeconvert.graph.sessions import open_session
from safeconvert.graph.stored import external_tensors, light_graph

from .coverage import exercised, reach, wake  # called by name
from .external import require_own_data
from .outputs import doubtful, with_seen_shapes
from .pairs import expose_logits, only_on_one_side, other_rows, sizes_of_one, turns_of_one  # called by name
from .part import cut, require_numbers  # called by name: cut
from .purity import impurities
from .quantize import calibrate, correct, operators, quantize, with_own_biases  # called by name
from .ranges import input_ranges  # called by name
from .reference import ReferenceSession
from .tables import describe_tables, table_rows  # called by name

__all__ = [
    "calibrate", "check_file", "correct", "cut", "describe_tables", "exercised", "expose_logits", "external_files",
    "input_ranges", "load", "only_on_one_side", "operators", "other_rows", "quantize", "reach", "sizes_of_one",
    "table_rows", "turns_of_one", "wake", "with_own_biases",
]  # fmt: skip
_DTYPES = {
    "tensor(float)": "float32", "tensor(double)": "float64", "tensor(float16)": "float16", "tensor(bool)": "bool",
    **{f"tensor({name})": name for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")},
}  # fmt: skip


class OnnxModel:
    """A session with its signature."""

    def __init__(self, session: Any, request: ModelRequest) -> None:
        self._session = session
        self._path = request.path
        inputs = with_given_shapes([_spec(value, request.path) for value in session.get_inputs()], request)
        outputs = [_spec(value, request.path) for value in session.get_outputs()]
        unknown = doubtful(request.path)
        self._signature = Signature(inputs, with_seen_shapes(session, inputs, outputs, unknown))

    def signature(self) -> Signature:
        """Inputs (initializers excluded) and outputs of the graph."""
        return self._signature

    def predict(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of one batch."""
        names = [spec.name for spec in self._signature.outputs]
        return dict(zip(names, self._session.run(names, feeds), strict=True))

    def impurities(self) -> list[str]:
        """What its outputs depend on beside its inputs; see `purity`."""
        return impurities(self._path)


def load(request: Mapping[str, Any]) -> OnnxModel:
    """Open an .onnx file; its external data must lie in its own folder.

    Where ONNX Runtime has no kernel for an operator, onnx' own reference computes the model.
    """
    model = ModelRequest.from_json(request)
    check_file(Path(model.path))
    session: Any
    try:
        session = open_session(model.path, format_said=True)
    except ort_errors.NotImplemented as error:
        session = _by_reference(model.path, error)
    except (ort_errors.Fail, ort_errors.InvalidGraph, ort_errors.InvalidProtobuf, ort_errors.InvalidArgument,
            ort_errors.NoSuchFile, ort_errors.RuntimeException) as error:  # fmt: skip
        complaint = _refused_by_checker(model.path)
        raise UnusableInput(f"{model.path}: {complaint or f'ONNX Runtime cannot load it: {_line(error)}'}") from error
    require_numbers(session, model.path)
    return OnnxModel(session, model)


def _by_reference(path: str, error: Exception) -> ReferenceSession:
    """The model as onnx' reference runs it. Raises UnusableInput where it cannot, with ONNX Runtime's reason."""
    try:
        return ReferenceSession(path)
    except Exception as other:  # noqa: BLE001 - the reference raises anything for what it does not know
        complaint = _refused_by_checker(path)
        reason = f"ONNX Runtime cannot load it: {_line(error)}; nor can onnx' reference: {_line(other)}"
        raise UnusableInput(f"{path}: {complaint or reason}") from error


def check_file(path: Path) -> None:
    """Parse the graph and see where its data lie.

    onnx.checker has a say only where ONNX Runtime refuses the file too: it asks for what nobody needs, such as the shapes of outputs.

    Raises:
        UnusableInput: damaged, or external data that is missing or leaves the folder.
    """
    try:
        model = light_graph(path)
    except Exception as error:
        raise UnusableInput(f"{path}: not a whole ONNX file: {_line(error)}") from error
    require_own_data(path, model)


def _refused_by_checker(path: str) -> str:
    """What onnx.checker has against a file; "" for nothing."""
    try:
        onnx.checker.check_model(path)
    except onnx.checker.ValidationError as error:
        return f"onnx.checker refuses it: {_line(error)}"
    return ""


def external_files(path: str) -> list[str]:
    """The files beside an .onnx that hold its external data, relative to its folder; [] where it holds all itself."""
    found = external_tensors(light_graph(path))
    return sorted({entry.value for tensor in found for entry in tensor.external_data if entry.key == "location"})


def _spec(value: Any, path: str) -> TensorSpec:
    if value.type not in _DTYPES:
        raise UnusableInput(f"{path}: {value.name} is a {value.type}, which is not supported")
    shape = tuple(size if isinstance(size, int) and size > 0 else None for size in value.shape)
    return TensorSpec(value.name, shape, _DTYPES[value.type])


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:240]
