"""Which constants of a .tflite file are stored with fewer bits than its float twin's, and giving them back their bits.

`Optimize.DEFAULT` stores weights as int8 beside a scale, float16 as halves behind a DEQUANTIZE operator. The twin is the
same model converted without either, so that its operators stand in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from safeconvert.errors import UnusableInput

from .._shared.tflite_computed import work_of
from .._shared.tflite_model import model_of

_STORED = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT8: np.int8,
}
_NAMES = {schema.TensorType.FLOAT16: "float16", schema.TensorType.INT8: "int8"}


@dataclass(frozen=True)
class _Constant:
    """One constant operand that the two files store differently: where it is, and its float value."""

    graph: int
    operator: int
    operand: int
    name: str
    stored: str
    value: np.ndarray[Any, Any]
    saved: int


def read(path: str) -> Any:
    """A file as flatbuffer objects."""
    return model_of(Path(path).read_bytes())


def write(model: Any, path: str) -> None:
    """The inverse of `read`."""
    Path(path).write_bytes(packed(model))


def packed(model: Any) -> bytes:
    """The content of the file of flatbuffer objects."""
    import flatbuffers

    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def has_reduced(path: str) -> bool:
    """Whether an operator with float results reads a constant of fewer bits; a wholly quantised file has none."""
    model = read(path)
    for graph in model.subgraphs:
        for operator in graph.operators:
            results = [graph.tensors[int(number)].type for number in operator.outputs]
            if schema.TensorType.FLOAT32 not in results:
                continue
            if any(_stored(model, graph, int(number)) is not None for number in operator.inputs if number >= 0):
                return True
    return False


def reduced(path: str, twin: str) -> list[dict[str, Any]]:
    """The layers of a file with constants that hold fewer bits than its twin's, in the order of the operators.

    Returns:
        For each: `name` of the operator's output, `stored` (int8 or float16), `bytes` that storing it so saves, and `work`, its multiplications
        for one sample.

    Raises:
        UnusableInput: the twin does not have the same operators.
    """
    model = read(path)
    return [
        {
            "name": layer[0].name, "stored": layer[0].stored, "bytes": sum(one.saved for one in layer),
            "work": work_of(model, model.subgraphs[layer[0].graph], _operators(model, layer[0].graph)[layer[0].operator]),
        }
        for layer in _layers(model, read(twin))
    ]  # fmt: skip


def restore(path: str, twin: str, which: Sequence[int], target: str) -> None:
    """Write the file with the constants of some layers, by their place in `reduced`, as float32 again."""
    model = read(path)
    layers = _layers(model, read(twin))
    for one in [constant for number in which for constant in layers[number]]:
        graph = model.subgraphs[one.graph]
        operator = _operators(model, one.graph)[one.operator]
        old = graph.tensors[operator.inputs[one.operand]]
        tensor = schema.TensorT()
        tensor.name = (old.name or b"weights") + b"/float32"
        tensor.shape, tensor.shapeSignature = old.shape, old.shapeSignature
        tensor.type, tensor.hasRank = schema.TensorType.FLOAT32, old.hasRank
        tensor.buffer = len(model.buffers)
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(one.value).tobytes(), np.uint8)
        model.buffers.append(buffer)
        operator.inputs = np.array(operator.inputs)  # what the schema gives is read-only
        operator.inputs[one.operand] = len(graph.tensors)
        graph.tensors.append(tensor)
    for graph in model.subgraphs:
        _drop_unread(model, graph)
    write(model, target)


def _operators(model: Any, number: int) -> list[Any]:
    """Those of a graph that a float twin has, too."""
    graph = model.subgraphs[number]
    return [op for op in graph.operators if not _unpacks(model, graph, op)]


def _drop_unread(model: Any, graph: Any) -> None:
    """Take out DEQUANTIZE operators and the data of constants that nothing reads any more."""
    while True:
        read_by = {int(number) for op in graph.operators for number in op.inputs} | set(map(int, graph.outputs))
        kept = [op for op in graph.operators if not _unpacks(model, graph, op) or int(op.outputs[0]) in read_by]
        if len(kept) == len(graph.operators):
            break
        graph.operators = kept
    alive = {
        graph.tensors[int(number)].buffer
        for graph in model.subgraphs
        for number in [n for op in graph.operators for n in op.inputs if n >= 0] + list(graph.outputs)
    }
    for tensor in graph.tensors:
        if tensor.buffer not in alive and model.buffers[tensor.buffer].data is not None:
            tensor.buffer = 0  # the empty buffer, by the format's convention
    drop_unused(model)


def drop_unused(model: Any) -> None:
    """Take out the data of buffers that neither a tensor nor metadata refers to any more."""
    used = {tensor.buffer for each in model.subgraphs for tensor in each.tensors} | {
        entry.buffer for entry in model.metadata or []
    }
    for number, buffer in enumerate(model.buffers):
        if number not in used:
            buffer.data = None


def _layers(model: Any, twin: Any) -> list[list[_Constant]]:
    """Constants by the operator that reads them."""
    grouped: dict[tuple[int, int], list[_Constant]] = {}
    for one in _constants(model, twin):
        grouped.setdefault((one.graph, one.operator), []).append(one)
    return list(grouped.values())


def _constants(model: Any, twin: Any) -> list[_Constant]:
    found = []
    if len(model.subgraphs) != len(twin.subgraphs):
        raise UnusableInput("the float twin has another number of subgraphs")
    for number, (graph, other) in enumerate(zip(model.subgraphs, twin.subgraphs, strict=True)):
        ours, theirs = _operators(model, number), _operators(twin, number)
        if [_code(model, op) for op in ours] != [_code(twin, op) for op in theirs]:
            raise UnusableInput("the float twin does not have the same operators")
        for index, (one, two) in enumerate(zip(ours, theirs, strict=True)):
            for operand, (left, right) in enumerate(zip(one.inputs, two.inputs, strict=True)):
                if left < 0 or right < 0:
                    continue
                stored = _stored(model, graph, int(left))
                value = _value(twin, other.tensors[int(right)])
                tensor = graph.tensors[int(left)]
                if stored is None or value is None or _sizes(tensor) != list(value.shape):
                    continue
                kind = _NAMES[stored.type]
                saved = value.size * (4 - np.dtype(_STORED[stored.type]).itemsize)
                name = graph.tensors[int(one.outputs[0])].name.decode().partition(";")[0]  # fused operators list all
                found.append(_Constant(number, index, operand, name, kind, value, saved))
    return found


def _stored(model: Any, graph: Any, number: int) -> Any:
    """The reduced constant behind an operand, itself or through DEQUANTIZE; None where it is none."""
    maker = next((op for op in graph.operators if number in op.outputs and _unpacks(model, graph, op)), None)
    tensor = graph.tensors[int(maker.inputs[0]) if maker is not None else number]
    has_data = model.buffers[tensor.buffer].data is not None
    return tensor if has_data and tensor.type in _NAMES else None


def _unpacks(model: Any, graph: Any, operator: Any) -> bool:
    """Whether it is a DEQUANTIZE of a constant."""
    if _code(model, operator) != schema.BuiltinOperator.DEQUANTIZE:
        return False
    return model.buffers[graph.tensors[int(operator.inputs[0])].buffer].data is not None


def _code(model: Any, operator: Any) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    return max(int(code.builtinCode), int(code.deprecatedBuiltinCode))


def _value(model: Any, tensor: Any) -> np.ndarray[Any, Any] | None:
    data = model.buffers[tensor.buffer].data
    if data is None or tensor.type != schema.TensorType.FLOAT32:
        return None
    values = np.frombuffer(bytes(data), np.float32)
    return values.reshape(_sizes(tensor)) if values.size == int(np.prod(_sizes(tensor))) else None


def _sizes(tensor: Any) -> list[int]:
    return [int(size) for size in tensor.shape] if tensor.shape is not None else []
