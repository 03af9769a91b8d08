"""Operators that tf2onnx 1.17 does not know: TFLite's Gelu, Erfc, with which TensorFlow expresses the exact one, and Xlogy and its kin.

Registered where this module is imported, as tf2onnx' own handlers are.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto
from tf2onnx import utils
from tf2onnx.handler import tf_op, tfl_op


@tf_op("Erfc")
class Erfc:
    """1 - erf(x)."""

    @classmethod
    def version_9(cls, ctx: Any, node: Any, **kwargs: Any) -> None:
        """Erf is ONNX' since opset 9."""
        x = node.input[0]
        replace_node(ctx, node, ctx.make_node("Sub", [_number(ctx, x, 1.0), _node(ctx, "Erf", x)]).output[0])


@tf_op(["Xlogy", "Xlog1py", "Xdivy"])
class Xlogy:
    """x·log(y), x·log(1 + y) and x / y, and 0 where x is 0, whatever y is."""

    @classmethod
    def version_9(cls, ctx: Any, node: Any, **kwargs: Any) -> None:
        """Where is ONNX' since opset 9."""
        x, y = node.input
        if node.type == "Xlog1py":
            y = _node(ctx, "Add", y, _number(ctx, y, 1.0))
        operator, factor = ("Div", y) if node.type == "Xdivy" else ("Mul", _node(ctx, "Log", y))
        made = ctx.make_node(operator, [x, factor], dtypes=[ctx.get_dtype(x)]).output[0]
        none = ctx.make_node("Equal", [x, _number(ctx, x, 0.0)], dtypes=[TensorProto.BOOL]).output[0]
        kept = ctx.make_node("Where", [none, _number(ctx, x, 0.0), made], dtypes=[ctx.get_dtype(x)]).output[0]
        replace_node(ctx, node, str(kept))


@tfl_op(["TFL_GELU"])
class TflGelu:
    """x / 2 * (1 + erf(x / sqrt 2)), or its approximation with tanh."""

    @classmethod
    def to_tf(cls, ctx: Any, node: Any, **kwargs: Any) -> None:
        """In TensorFlow's operators, which the others turn into ONNX'."""
        x = node.input[0]
        if node.get_attr_int("approximate"):
            cube = _node(ctx, "Mul", _node(ctx, "Mul", x, x), x)
            inner = _node(ctx, "Add", x, _node(ctx, "Mul", cube, _number(ctx, x, 0.044715)))
            gate = _node(ctx, "Tanh", _node(ctx, "Mul", inner, _number(ctx, x, (2 / np.pi) ** 0.5)))
        else:
            gate = _node(ctx, "Erf", _node(ctx, "Mul", x, _number(ctx, x, 0.5**0.5)))
        half = _node(ctx, "Mul", x, _number(ctx, x, 0.5))
        replace_node(ctx, node, _node(ctx, "Mul", half, _node(ctx, "Add", gate, _number(ctx, x, 1.0))))


def replace_node(ctx: Any, node: Any, made: str) -> None:
    """Put a tensor in the place of a node's only output, whose dtype and shape it takes."""
    ctx.set_dtype(made, ctx.get_dtype(node.output[0]))
    ctx.set_shape(made, ctx.get_shape(node.output[0]))
    ctx.replace_all_inputs(node.output[0], made)
    ctx.remove_node(node.name)


def _node(ctx: Any, operator: str, *inputs: str) -> str:
    dtype, shape = ctx.get_dtype(inputs[0]), ctx.get_shape(inputs[0])
    return str(ctx.make_node(operator, list(inputs), dtypes=[dtype], shapes=[shape]).output[0])


def _number(ctx: Any, like: str, value: float) -> str:
    array = np.array(value, dtype=utils.map_onnx_to_numpy_type(ctx.get_dtype(like)))
    return str(ctx.make_const(utils.make_name("number"), array).output[0])
