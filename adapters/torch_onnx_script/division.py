"""Division, remainders, shifts and masked attention, which torch's TorchScript exporter (torch 2.13) rounds or masks otherwise.

`floor_divide` (Python's `//`) becomes a division towards zero, since torch did so before 1.13; real remainders are
x - floor(x / y) * y, a whole y off where x / y rounds to an integer; a right shift of a negative number rounds towards zero; and
attention under a mask of minus infinities gives NaN where a query may see no key, where torch gives zeros.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.onnx import symbolic_helper
from torch.onnx._internal.torchscript_exporter import _type_utils, symbolic_opset10, symbolic_opset14

_SINCE = 11
_MOVES = {"onnx::Gather", "onnx::Slice", "onnx::Squeeze", "onnx::Unsqueeze", "onnx::Cast", "onnx::Identity"}
_OF_SIZES = _MOVES | {"onnx::Mul", "onnx::Add", "onnx::Div", "onnx::Mod", "onnx::Concat"}
_AXES_ARE_INPUTS = 18


def register() -> None:
    """Tell torch.onnx; once a process."""
    for name, symbolic in (
        ("aten::floor_divide", _floor_divide),
        ("aten::floordiv", _floor_divide),
        ("aten::remainder", _remainder),
        ("aten::div", _div),
        ("aten::__rshift_", _right_shift),
    ):
        torch.onnx.register_custom_op_symbolic(name, symbolic, _SINCE)
    torch.onnx.register_custom_op_symbolic("aten::scaled_dot_product_attention", _attention, 14)


def _floor_divide(g: Any, x: Any, y: Any) -> Any:
    """The greatest integer that is not above x / y, as torch computes it: from the exact remainder."""
    if not (symbolic_helper._is_fp(x) or symbolic_helper._is_fp(y)):
        plain = _never_negative(x) and _never_negative(y)
        return g.op("Div", x, y) if plain else symbolic_opset10._floor_divide(g, x, y)
    left, moved = _left(g, x, y)
    steps = g.op("Round", g.op("Div", g.op("Sub", x, left), y))
    down = g.op("Where", moved, g.op("Sub", steps, _number(g, 1.0)), steps)
    return g.op("Where", g.op("Equal", y, _number(g, 0.0)), g.op("Div", x, y), down)


def _never_negative(value: Any) -> bool:
    """Whether integers are sizes, or made of sizes and constants so that none is below zero: a division towards zero rounds these down."""
    node = value.node()
    kind = node.kind()
    if kind == "onnx::Constant":
        found = symbolic_helper._maybe_get_const(value, "t")
        return isinstance(found, torch.Tensor) and bool((found >= 0).all())
    read = list(node.inputs())[: 1 if kind in _MOVES else None]
    return kind == "onnx::Shape" or (kind in _OF_SIZES and all(map(_never_negative, read)))


def _remainder(g: Any, x: Any, y: Any) -> Any:
    """Of the divisor's sign."""
    if not (symbolic_helper._is_fp(x) or symbolic_helper._is_fp(y)):
        return g.op("Mod", x, y, fmod_i=0)
    left, moved = _left(g, x, y)
    return g.op("Where", moved, g.op("Add", left, y), left)


def _div(g: Any, x: Any, y: Any, *rounding: Any) -> Any:
    mode = symbolic_helper._maybe_get_const(rounding[0], "s") if rounding else None
    if mode == "floor":
        return _floor_divide(g, x, y)
    return symbolic_opset10.div(g, x, y, *rounding)


def _left(g: Any, x: Any, y: Any) -> tuple[Any, Any]:
    """The remainder of the dividend's sign, and where its sign is not the divisor's."""
    left = g.op("Mod", x, y, fmod_i=1)
    zero = _number(g, 0.0)
    signs = g.op("Xor", g.op("Less", left, zero), g.op("Less", y, zero))
    return left, g.op("And", signs, g.op("Not", g.op("Equal", left, zero)))


def _right_shift(g: Any, x: Any, y: Any) -> Any:
    """Of an integer: division by a power of two, rounded down. At most 62 steps."""
    two = g.op("Constant", value_t=torch.tensor(2, dtype=torch.int64))
    indices = g.op("Cast", y, to_i=torch.onnx.TensorProtoDataType.INT64)
    wide = g.op("Cast", x, to_i=torch.onnx.TensorProtoDataType.INT64)
    power = g.op("Pow", two, indices)
    down = g.op("Div", g.op("Sub", wide, g.op("Mod", wide, power, fmod_i=0)), power)
    return g.op("Cast", down, to_i=_type_utils.JitScalarType.from_value(x).onnx_type())


def _attention(  # noqa: PLR0913 - the operator's own signature
    g: Any, query: Any, key: Any, value: Any, mask: Any = None, dropout: Any = 0.0, causal: Any = False, scale: Any = None,
    grouped: Any = False,
) -> Any:  # fmt: skip
    """torch.onnx' own; the weights of a query whose scores are all minus infinity are zeros, as torch's are."""
    attention = symbolic_opset14.scaled_dot_product_attention(
        g, query, key, value, mask, dropout, causal, scale, grouped
    )
    weights, values = attention.node().inputs()
    if symbolic_helper._is_none(mask) or symbolic_helper._maybe_get_const(dropout, "f"):
        return attention
    if weights.node().kind() == "onnx::Where":  # its own zeros in place of NaN, which hide a NaN of the operands
        weights = list(weights.node().inputs())[2]
    scores = weights.node().inputsAt(0)
    axes = {"axes_i": [-1]} if g.opset < _AXES_ARE_INPUTS else {}
    last = [] if axes else [g.op("Constant", value_t=torch.tensor([-1]))]
    none = g.op("Equal", g.op("ReduceMax", scores, *last, keepdims_i=1, **axes), _number(g, -torch.inf))
    return g.op("MatMul", g.op("Where", none, _number(g, 0.0), weights), values)


def _number(g: Any, value: float) -> Any:
    return g.op("Constant", value_t=torch.tensor(value, dtype=torch.float32))
