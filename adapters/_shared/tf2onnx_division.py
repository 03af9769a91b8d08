"""Division that rounds down, and its remainder, for tf2onnx 1.17, as TensorFlow defines them.

tf2onnx says FloorDiv of integers as ONNX' Div, which rounds towards zero: -7 // 4 becomes -1, and an id one row further up in a
table. Its FloorMod is the remainder to that quotient, of the dividend's sign; for real numbers it is x - floor(x / y) * y, which is
a whole y off where x / y rounds to an integer. TFLite's operators of these names come through the same handlers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto
from tf2onnx import utils
from tf2onnx.handler import tf_op

from .tf2onnx_operators import replace_node

_REAL = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)
_NARROW = (TensorProto.INT8, TensorProto.INT16, TensorProto.UINT8, TensorProto.UINT16)
"""Integers that ONNX Runtime does not divide; int32 holds them."""


@tf_op("FloorDiv")
class FloorDiv:
    """The greatest integer that is not above x / y."""

    @classmethod
    def version_10(cls, ctx: Any, node: Any, **kwargs: Any) -> None:
        """Of integers the quotient towards zero, one less where a remainder of another sign than the divisor's is left."""
        dtype = ctx.get_dtype(node.input[0])
        if dtype in _REAL:
            replace_node(ctx, node, _node(ctx, "Floor", dtype, _node(ctx, "Div", dtype, *node.input)))
            return
        x, y = _widened(ctx, node)
        kind = ctx.get_dtype(x)
        towards_zero = _node(ctx, "Div", kind, x, y)
        left = _node(ctx, "Sub", kind, x, _node(ctx, "Mul", kind, towards_zero, y))
        # ONNX' Mod has the divisor's sign: it is what is left, or what is left and one divisor more
        beyond = _node(ctx, "Sub", kind, _node(ctx, "Mod", kind, x, y), left)
        down = _node(ctx, "Sub", kind, towards_zero, _node(ctx, "Div", kind, beyond, y))
        replace_node(ctx, node, _narrowed(ctx, down, dtype))


@tf_op("FloorMod")
class FloorMod:
    """x - y * floor(x / y), of the divisor's sign."""

    @classmethod
    def version_10(cls, ctx: Any, node: Any, **kwargs: Any) -> None:
        """ONNX' Mod of integers; of real numbers the exact remainder, and y more where its sign is the other."""
        dtype = ctx.get_dtype(node.input[0])
        if dtype not in _REAL:
            replace_node(ctx, node, _narrowed(ctx, _node(ctx, "Mod", ctx.get_dtype(node.input[0]), *node.input), dtype))
            return
        x, y = node.input
        left = ctx.make_node("Mod", [x, y], attr={"fmod": 1}, dtypes=[dtype]).output[0]
        zero = ctx.make_const(utils.make_name("zero"), np.array(0, utils.map_onnx_to_numpy_type(dtype))).output[0]
        signs = [_node(ctx, "Less", TensorProto.BOOL, value, zero) for value in (left, y)]
        other_sign = _node(ctx, "Xor", TensorProto.BOOL, *signs)
        some = _node(ctx, "Not", TensorProto.BOOL, _node(ctx, "Equal", TensorProto.BOOL, left, zero))
        moved = _node(ctx, "And", TensorProto.BOOL, some, other_sign)
        replace_node(ctx, node, _node(ctx, "Where", dtype, moved, _node(ctx, "Add", dtype, left, y), left))


def _widened(ctx: Any, node: Any) -> list[str]:
    """The operands, integers of 8 and 16 bits as int32."""
    if ctx.get_dtype(node.input[0]) not in _NARROW:
        return list(node.input)
    return [
        ctx.make_node("Cast", [name], attr={"to": TensorProto.INT32}, dtypes=[TensorProto.INT32]).output[0]
        for name in node.input
    ]


def _narrowed(ctx: Any, name: str, dtype: int) -> str:
    if ctx.get_dtype(name) == dtype:
        return name
    return str(ctx.make_node("Cast", [name], attr={"to": dtype}, dtypes=[dtype]).output[0])


def _node(ctx: Any, operator: str, dtype: int, *inputs: str) -> str:
    return str(ctx.make_node(operator, list(inputs), dtypes=[dtype]).output[0])
