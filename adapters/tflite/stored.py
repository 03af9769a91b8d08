"""Where two quantised files of one model store a tensor otherwise: in other steps, from another zero, or as other values.

The scale of a constant follows from its values, so that two quantizers agree on it; that of an activation from what it was calibrated on.
A tensor is known by its name in both files.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .._shared.tflite_model import model_of
from .precision import drop_unused, write

_INTEGERS: dict[int, type[np.signedinteger[Any] | np.unsignedinteger[Any]]] = {
    schema.TensorType.INT8: np.int8,
    schema.TensorType.UINT8: np.uint8,
    schema.TensorType.INT16: np.int16,
    schema.TensorType.INT32: np.int32,
    schema.TensorType.INT64: np.int64,
}
_OF_CONSTANT = 0.02  # of its largest value: half a step of eight bits is 0.004
_ROUNDING = 1e-5  # of a scale, as float32 stores it
_OF_RANGE = 0.25  # of an activation's range: what another calibration may make of it


def stored_otherwise(path: str, other: str) -> list[dict[str, Any]]:
    """The tensors of a file that another file of the same model stores otherwise, in the order of the operators.

    Returns:
        For each: `name`, `operator` that reads the constant or makes the activation, `what` differs in words, and `off`, by how much of
        the largest value or of the range.
    """
    found = []
    for name, one, two, operator in _pairs(_read(path), _read(other)):
        differing = _constant(one, two) if one.data is not None and two.data is not None else _range(one, two)
        if differing is not None:
            found.append({"name": name, "operator": operator, "what": differing[0], "off": differing[1]})
    return found


def stored_as(path: str, other: str, names: Sequence[str], target: str) -> None:
    """Write a file with some tensors stored as another file of the same model stores them: their integers, scales, zero points and axes.

    A bias is stored in the steps of its input and weights, so that where these are other ones now, it is rounded to them anew.

    Args:
        path: the file.
        other: the other one.
        names: of tensors, as `stored_otherwise` gives them.
        target: the file to write.
    """
    model, source = _read(path), _read(other)
    graph, wanted = model.subgraphs[0], {name.encode() for name in names}
    theirs = {tensor.name: tensor for tensor in source.subgraphs[0].tensors if _quantised(tensor)}
    for tensor in graph.tensors:
        twin = theirs.get(tensor.name) if tensor.name in wanted else None
        if twin is None or not _quantised(tensor):
            continue
        tensor.quantization = twin.quantization
        data = source.buffers[twin.buffer].data
        if data is not None and len(data):
            _set_data(model, tensor, data)
    for operator in graph.operators:
        _fit_bias(model, operator)
    drop_unused(model)
    write(model, target)


def _fit_bias(model: Any, operator: Any) -> None:
    """Round the bias of a layer to the steps of its input and weights, where it is not stored in these."""
    graph = model.subgraphs[0]
    if len(operator.inputs) < 3 or min(int(number) for number in operator.inputs[:3]) < 0:
        return
    given, weights, bias = (graph.tensors[int(number)] for number in operator.inputs[:3])
    if bias.type not in (schema.TensorType.INT32, schema.TensorType.INT64) or not all(
        map(_quantised, (given, weights, bias))
    ):
        return
    stored = _Stored(model, bias)
    steps = float(given.quantization.scale[0]) * np.asarray(weights.quantization.scale, np.float64)
    if stored.data is None or (len(steps) == len(stored.scales) and np.allclose(steps, stored.scales, rtol=_ROUNDING)):
        return
    limits = np.iinfo(stored.kind)
    values = np.clip(np.rint(stored.real() / steps), limits.min, limits.max).astype(stored.kind)
    numbers = copy.copy(bias.quantization)
    numbers.scale, numbers.zeroPoint = steps.astype(np.float32), np.zeros(len(steps), np.int64)
    bias.quantization = numbers
    _set_data(model, bias, np.frombuffer(values.tobytes(), np.uint8))


def _set_data(model: Any, tensor: Any, data: Any) -> None:
    """A buffer of its own, since others may share the one there."""
    buffer = schema.BufferT()
    buffer.data = data
    tensor.buffer = len(model.buffers)
    model.buffers.append(buffer)


def activations(path: str) -> str:
    """The type that most operators of a file give their results in, by its name in numpy; "" where there are none."""
    model = _read(path)
    names = {kind: np.dtype(number).name for kind, number in _INTEGERS.items()} | {schema.TensorType.FLOAT32: "float32"}
    made = [
        names.get(graph.tensors[int(n)].type, "")
        for graph in model.subgraphs
        for op in graph.operators
        for n in op.outputs
    ]
    return max(sorted(set(made)), key=made.count) if made else ""


def real_constants(path: str) -> dict[bytes, np.ndarray[Any, Any]]:
    """The numbers, float64, that the quantised constants of a file stand for, by their tensors' names."""
    model = _read(path)
    tensors = [_named(model, tensor) for tensor in model.subgraphs[0].tensors if _quantised(tensor)]
    return {name: one.real() for name, one in tensors if one.data is not None and one.data.size}


def _named(model: Any, tensor: Any) -> tuple[bytes, _Stored]:
    return tensor.name, _Stored(model, tensor)


class _Stored:
    """One quantised tensor: its integers where it is a constant, its scales and zero points, the axis these are of."""

    def __init__(self, model: Any, tensor: Any) -> None:
        numbers = tensor.quantization
        self.kind = _INTEGERS[tensor.type]
        self.scales = np.asarray(numbers.scale, np.float64)
        zeros = numbers.zeroPoint
        self.zeros = np.asarray(zeros if zeros is not None and len(zeros) else [0], np.int64)
        self.axis = int(numbers.quantizedDimension)
        data = model.buffers[tensor.buffer].data
        shape = [int(size) for size in tensor.shape] if tensor.shape is not None else []
        values = np.frombuffer(bytes(data), self.kind) if data is not None and len(data) else None
        self.data = values.reshape(shape) if values is not None and values.size == int(np.prod(shape)) else None

    def real(self) -> np.ndarray[Any, Any]:
        """The numbers that the integers stand for."""
        assert self.data is not None
        form = [1] * self.data.ndim
        if len(self.scales) > 1:
            form[self.axis] = len(self.scales)
        zeros = self.zeros if len(self.zeros) == len(self.scales) else self.zeros[:1].repeat(len(self.scales))
        real: np.ndarray[Any, Any] = (self.data.astype(np.float64) - zeros.reshape(form)) * self.scales.reshape(form)
        return real

    def range(self) -> tuple[float, float]:
        """The smallest and the largest number that can be stored."""
        limits = np.iinfo(self.kind)
        low, high = ((limit - int(self.zeros[0])) * float(self.scales[0]) for limit in (limits.min, limits.max))
        return low, high


def _constant(one: _Stored, two: _Stored) -> tuple[str, float] | None:
    ours, theirs = one.real(), two.real()
    if ours.shape != theirs.shape:
        return f"shape {list(ours.shape)}, {list(theirs.shape)} in the other", float("inf")
    size = float(np.abs(theirs).max(initial=0.0))
    off = float(np.abs(ours - theirs).max(initial=0.0)) / size if size else 0.0
    if off <= _OF_CONSTANT:
        return None
    if one.scales.shape == two.scales.shape and not np.allclose(one.scales, two.scales, rtol=_OF_CONSTANT):
        worst = int(np.abs(np.log(one.scales / two.scales)).argmax())
        return f"scale {one.scales[worst]:.4g}, where its values give {two.scales[worst]:.4g}", off
    if len(one.scales) < len(two.scales):
        return f"one scale for {len(two.scales)} channels", off
    if not np.array_equal(one.zeros, two.zeros):
        return f"zero point {int(one.zeros[0])}, where its values give {int(two.zeros[0])}", off
    return f"values up to {off:.2g} of the largest off", off


def _range(one: _Stored, two: _Stored) -> tuple[str, float] | None:
    (low, high), (least, most) = one.range(), two.range()
    off = max(abs(low - least), abs(high - most)) / max(most - least, 1e-30)
    if off <= _OF_RANGE:
        return None
    scale, zero = float(one.scales[0]), int(one.zeros[0])
    return (
        f"scale {scale:.4g} and zero point {zero}, for {low:.3g} to {high:.3g}; the inputs give {least:.3g} to {most:.3g}",
        off,
    )


def _pairs(model: Any, other: Any) -> Iterator[tuple[str, _Stored, _Stored, str]]:
    """Quantised tensors of one name in both files, once each, with the operator that they belong to."""
    graph = model.subgraphs[0]
    theirs = {tensor.name: tensor for tensor in other.subgraphs[0].tensors if _quantised(tensor)}
    seen: set[int] = set()
    for operator in graph.operators:
        result = (
            graph.tensors[int(operator.outputs[0])].name.decode().partition(";")[0] if len(operator.outputs) else ""
        )
        constants = [
            int(n) for n in operator.inputs if n >= 0 and model.buffers[graph.tensors[int(n)].buffer].data is not None
        ]
        for number in (*constants, *(int(n) for n in operator.outputs)):
            tensor = graph.tensors[number]
            if number in seen or not _quantised(tensor) or tensor.name not in theirs:
                continue
            seen.add(number)
            twin = theirs[tensor.name]
            if tensor.type == twin.type:
                yield tensor.name.decode(), _Stored(model, tensor), _Stored(other, twin), result


def _quantised(tensor: Any) -> bool:
    numbers = tensor.quantization
    return tensor.type in _INTEGERS and numbers is not None and numbers.scale is not None and len(numbers.scale) > 0


def _read(path: str) -> Any:
    with open(path, "rb") as file:
        return model_of(file.read())
