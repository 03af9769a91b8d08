"""Element-wise functions of keras.ops by their names in the operator modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keras import ops

TRUTHS = {"eq", "ne", "lt", "le", "gt", "ge", "isnan", "isinf", "not", "and", "or", "xor"}
"""Functions whose results are bool."""

OF_BITS = {"bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "shift_left", "shift_right"}
"""Functions that take no number of a saved model's configuration, whose type is lost."""


def _add(x: Any, y: Any) -> Any:
    """The sum, without the bias that Keras 3.15 makes of an operand with one dimension beyond 1.

    Its TensorFlow back end adds such an operand along axis 1 or the last one, whichever has its size, whatever axis it lies on;
    of integers TFLite knows no bias at all.
    """
    whole = "int" in str(x.dtype)
    for first, second in ((x, y), (y, x)):
        sizes = [(axis, size) for axis, size in enumerate(second.shape) if size != 1]
        if len(sizes) != 1 or len(first.shape) < 2 or (sizes[0][0] - len(second.shape) == -1 and not whole):
            return ops.add(first, second)
    return ops.add(x, y) if "uint" in str(x.dtype) else ops.subtract(x, ops.negative(y))


def _absolute(x: Any) -> Any:
    """The absolute value; of integers in operators that TFLite has."""
    kind = str(x.dtype)
    if "uint" in kind:
        return x
    return ops.maximum(x, ops.negative(x)) if "int" in kind else ops.absolute(x)


def _quotient(x: Any, y: Any) -> Any:
    """Integer division towards zero; keras.ops only has the one towards minus infinity."""
    if "uint" in str(x.dtype):
        return ops.floor_divide(x, y)
    whole = ops.floor_divide(_absolute(x), _absolute(y))
    return ops.where(ops.equal(ops.less(x, 0), ops.less(y, 0)), whole, ops.negative(whole))


def _fmod(x: Any, y: Any) -> Any:
    """The remainder with the sign of x."""
    size = ops.mod(_absolute(x), _absolute(y))
    return ops.where(ops.less(x, 0), ops.negative(size), size)


MAPS: Mapping[str, Callable[..., Any]] = {
    "eq": ops.equal, "ne": ops.not_equal, "lt": ops.less, "le": ops.less_equal, "gt": ops.greater, "ge": ops.greater_equal,
    "isnan": ops.isnan, "isinf": ops.isinf, "not": ops.logical_not, "and": ops.logical_and, "or": ops.logical_or,
    "xor": ops.logical_xor, "add": _add, "sub": ops.subtract, "mul": ops.multiply, "div": ops.divide, "pow": ops.power,
    "mod": ops.mod, "fmod": _fmod, "quotient": _quotient, "max": ops.maximum, "min": ops.minimum, "sqrt": ops.sqrt,
    "exp": ops.exp, "log": ops.log, "softplus": ops.softplus, "sin": ops.sin, "cos": ops.cos, "tan": ops.tan,
    "asin": ops.arcsin, "acos": ops.arccos, "atan": ops.arctan, "sinh": ops.sinh, "cosh": ops.cosh, "tanh": ops.tanh,
    "asinh": ops.arcsinh, "acosh": ops.arccosh, "atanh": ops.arctanh, "erf": ops.erf, "floor": ops.floor, "ceil": ops.ceil,
    "round": ops.round, "sigmoid": ops.sigmoid, "abs": _absolute, "neg": ops.negative, "sign": ops.sign, "relu": ops.relu,
    "relu6": ops.relu6, "where": ops.where, "bitwise_and": ops.bitwise_and, "bitwise_or": ops.bitwise_or,
    "bitwise_xor": ops.bitwise_xor, "bitwise_not": ops.bitwise_not, "shift_left": ops.left_shift,
    "shift_right": ops.right_shift,
}  # fmt: skip
