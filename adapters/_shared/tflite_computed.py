"""In what type each operator of a `.tflite` file computes, by what it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ai_edge_litert import schema_py_generated as schema

MOVES = frozenset({"QUANTIZE", "DEQUANTIZE"})
"""Kinds that compute nothing."""

_NAMES = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
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
    """

    name: str
    results: tuple[str, ...]
    kind: str
    in_float: bool
    in_sixteen: bool


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
    )
