"""In what type each operator of a `.tflite` file computes, by what it gives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema

MOVES = frozenset({"QUANTIZE", "DEQUANTIZE"})
"""Kinds that compute nothing."""

_NAMES = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
_WEIGHTED = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
    schema.BuiltinOperator.BATCH_MATMUL,
    schema.BuiltinOperator.TRANSPOSE_CONV,
)
_FLOATS = (schema.TensorType.FLOAT32, schema.TensorType.FLOAT16)


@dataclass(frozen=True)
class Computed:
    """An operator.

    Attributes:
        name: of its first output, in full.
        results: names of all its outputs.
        kind: as TFLite's schema names it; CUSTOM where it is none of its own.
        in_float: it gives floats.
        in_sixteen: it gives 16-bit integers.
        work: multiplications for one sample by its shapes, or values that it gives; sizes that are not known count as one.
        weights: constants among them.
    """

    name: str
    results: tuple[str, ...]
    kind: str
    in_float: bool
    in_sixteen: bool
    work: int
    weights: int


def computed(content: bytes) -> list[Computed]:
    """The operators of all graphs of a file, in order."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    return [_computed(model, graph, operator) for graph in model.subgraphs for operator in graph.operators]


def counted(content: bytes) -> dict[str, Any]:
    """What a quantised file computes in what type.

    Returns:
        `float` and `sixteen`: names of the operators that give floats and 16-bit integers; `operators`: how many there are.
    """
    listed = [one for one in computed(content) if one.kind not in MOVES]
    return {
        "float": [one.name for one in listed if one.in_float],
        "sixteen": [one.name for one in listed if one.in_sixteen],
        "operators": len(listed),
    }


def _computed(model: Any, graph: Any, operator: Any) -> Computed:
    code = model.operatorCodes[operator.opcodeIndex]
    tensors = [graph.tensors[int(number)] for number in operator.outputs]
    names = tuple(tensor.name.decode() for tensor in tensors)
    return Computed(
        names[0] if names else "",
        names,
        _NAMES.get(max(code.builtinCode, code.deprecatedBuiltinCode), "CUSTOM"),
        any(tensor.type in _FLOATS for tensor in tensors),
        any(tensor.type == schema.TensorType.INT16 for tensor in tensors),
        work_of(model, graph, operator) if tensors else 0,
        sum(_size(graph.tensors[int(number)]) for number in operator.inputs if _constant(model, graph, int(number))),
    )


def _constant(model: Any, graph: Any, number: int) -> bool:
    buffer = model.buffers[graph.tensors[number].buffer] if number >= 0 else None
    return buffer is not None and (
        buffer.data is not None or buffer.offset > 1
    )  # from 256 KiB on they may lie behind the flatbuffer


def work_of(model: Any, graph: Any, operator: Any) -> int:
    """Multiplications for one sample: values of the result, times what of its second operand goes into each where that are weights."""
    code = model.operatorCodes[operator.opcodeIndex]
    kind, result = max(code.builtinCode, code.deprecatedBuiltinCode), graph.tensors[int(operator.outputs[0])]
    if kind not in _WEIGHTED or len(operator.inputs) < 2:
        return _size(result)
    weights, last = graph.tensors[int(operator.inputs[1])], _sizes(result)[-1:]
    return _size(result) * max(1, _size(weights) // max(1, *last))


def _sizes(tensor: Any) -> list[int]:
    return [max(1, int(size)) for size in (tensor.shape if tensor.shape is not None else ())]


def _size(tensor: Any) -> int:
    return math.prod(_sizes(tensor))
