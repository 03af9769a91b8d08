"""Element-wise operators on numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from onnx import helper

from .node import Node

_WIDER = {"int8": "int32", "int16": "int32", "uint8": "int32", "uint16": "int32", "uint32": "int64"}


def like(node: Node, x: Any, value: float) -> np.ndarray:
    """A scalar of x's type."""
    return np.asarray(value, dtype=np.dtype(node.backend.dtype(x)))


def is_float(node: Node, x: Any) -> bool:
    """Whether x holds floating-point numbers."""
    return "float" in node.backend.dtype(x)


def wide(node: Node, function: Callable[..., Any], *xs: Any, back: bool = True) -> Any:
    """Compute in a type that every framework has kernels for; small and unsigned integers wrap around on the way back."""
    b = node.backend
    kind = b.dtype(xs[0])
    if kind not in _WIDER:
        return function(*xs)
    result = function(*[b.cast(x, _WIDER[kind]) if b.dtype(x) == kind else x for x in xs])
    return b.cast(result, kind) if back else result


def simple(name: str, back: bool = True) -> Callable[[Node], Any]:
    """An operator that is one primitive function."""
    return lambda n: wide(n, lambda *xs: n.backend.map(name, *xs), *n.inputs, back=back)


def folded(name: str) -> Callable[[Node], Any]:
    """An operator of any number of operands."""

    def apply(n: Node) -> Any:
        def chain(*xs: Any) -> Any:
            result = xs[0]
            for x in xs[1:]:
                result = n.backend.map(name, result, x)
            return result

        return wide(n, chain, *n.inputs)

    return apply


def _mean(n: Node) -> Any:
    total = folded("add")(n)
    return n.backend.map("div", total, like(n, total, len(n.inputs)))


def _div(n: Node) -> Any:
    x, y = n.inputs
    return wide(n, lambda a, c: n.backend.map("div" if is_float(n, x) else "quotient", a, c), x, y)


def _pow(n: Node) -> Any:
    x, y = n.inputs
    b = n.backend
    kind = b.dtype(x)
    if isinstance(y, np.ndarray) and y.size == 1 and y.ndim <= len(b.shape(x)) and float(y.reshape(-1)[0]) == 2:
        return b.map("mul", x, x)
    if is_float(n, x):
        return b.map("pow", x, b.cast(y, kind))
    if "float" in b.dtype(y):
        return b.cast(b.map("pow", b.cast(x, "float64"), b.cast(y, "float64")), kind)
    return b.cast(b.map("pow", b.cast(x, "int64"), b.cast(y, "int64")), kind)


def _mod(n: Node) -> Any:
    name = "fmod" if n.attribute("fmod", 0) else "mod"
    return wide(n, lambda a, c: n.backend.map(name, a, c), *n.inputs)


def _clip(n: Node) -> Any:
    x, b = n.inputs[0], n.backend
    if n.opset < 11:
        bounds = [None if n.attribute(k) is None else like(n, x, n.attribute(k)) for k in ("min", "max")]
    else:
        bounds = [n.given(1), n.given(2)]
    low, high = [value.reshape(()) if isinstance(value, np.ndarray) and value.size == 1 else value for value in bounds]
    if is_float(n, x) and isinstance(low, np.ndarray) and isinstance(high, np.ndarray) and (low == 0) and (high == 6):
        return b.map("relu6", x)

    def clip(x: Any, low: Any, high: Any) -> Any:
        x = x if low is None else b.map("max", x, low)
        return x if high is None else b.map("min", x, high)

    kind = b.dtype(x)
    if kind in _WIDER:
        wider = _WIDER[kind]
        parts = [None if value is None else b.cast(value, wider) for value in (x, low, high)]
        return b.cast(clip(*parts), kind)
    return clip(x, low, high)


def _cast(n: Node) -> Any:
    try:
        kind = np.dtype(helper.tensor_dtype_to_np_dtype(int(n.attribute("to")))).name
    except KeyError as error:
        raise n.refuse("casts to a type that only ONNX has") from error
    return to(n, n.inputs[0], kind)


def to(n: Node, x: Any, kind: str) -> Any:
    """Cast, or refuse a type that frameworks do not compute with."""
    for name in (kind, n.backend.dtype(x)):
        if name.startswith(("float8", "int4", "uint4", "float4", "int2", "uint2", "object", "str")):
            raise n.refuse(f"elements of type {name} are not supported")
    if kind == "bool":
        return n.backend.map("ne", x, like(n, x, 0))
    return n.backend.cast(x, kind)


_WHOLE = ("float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")


def _bitcast(n: Node) -> Any:
    try:
        kind = np.dtype(helper.tensor_dtype_to_np_dtype(int(n.attribute("to"))))
    except KeyError as error:
        raise n.refuse("reads as a type that only ONNX has") from error
    own = n.backend.dtype(n.inputs[0])
    if own not in _WHOLE or kind.name not in _WHOLE or np.dtype(own).itemsize != kind.itemsize:
        raise n.refuse(f"from {own} to {kind.name}")
    return n.backend.bitcast(n.inputs[0], kind.name)


def _isinf(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    positive, negative = n.attribute("detect_positive", 1), n.attribute("detect_negative", 1)
    if positive and negative:
        return b.map("isinf", x)
    if not positive and not negative:
        return b.map("and", b.map("isinf", x), b.map("isnan", x))
    return b.map("eq", x, like(n, x, np.inf if positive else -np.inf))


def _shift(n: Node) -> Any:
    x, y = n.inputs
    b = n.backend
    if b.dtype(x) == "uint64":
        raise n.refuse("elements of type uint64 are not supported")
    left = n.attribute("direction") == b"LEFT"

    def shift(a: Any, c: Any) -> Any:
        """Frameworks differ where the distance is not below the width: there all bits are shifted out."""
        kind = b.dtype(a)
        zero, width = np.zeros((), kind), np.asarray(np.iinfo(kind).bits, kind)
        inside = b.map("and", b.map("ge", c, zero), b.map("lt", c, width))
        moved = b.map("shift_left" if left else "shift_right", a, b.map("where", inside, c, zero))
        rest = zero if left else b.map("where", b.map("lt", a, zero), np.asarray(-1, kind), zero)
        return b.map("where", inside, moved, rest)

    return wide(n, shift, x, y)


def _where(n: Node) -> Any:
    return n.backend.map("where", *n.inputs)


def _sign(n: Node) -> Any:
    return wide(n, lambda x: n.backend.map("sign", x), n.inputs[0])


def _bitwise_not(n: Node) -> Any:
    return wide(n, lambda x: n.backend.map("bitwise_not", x), n.inputs[0])


def _dropout(n: Node) -> Any:
    training = n.known(2, "the training mode")
    if training is not None and bool(training.reshape(-1)[0]):
        raise n.refuse("drops at random in training mode")
    x = n.inputs[0]
    mask = n.backend.map("eq", n.backend.map("isnan", x), n.backend.map("isnan", x)) if len(n.outputs) > 1 else None
    return (x, mask)


def _add(n: Node) -> Any:
    return wide(n, lambda a, c: n.backend.map("add", a, c), *n.inputs[:2])


_FLOATS = {
    "Sqrt": "sqrt", "Exp": "exp", "Log": "log", "Sin": "sin", "Cos": "cos", "Tan": "tan", "Asin": "asin", "Acos": "acos",
    "Atan": "atan", "Sinh": "sinh", "Cosh": "cosh", "Tanh": "tanh", "Asinh": "asinh", "Acosh": "acosh", "Atanh": "atanh",
    "Erf": "erf", "Floor": "floor", "Ceil": "ceil", "Round": "round", "Sigmoid": "sigmoid", "Abs": "abs", "Neg": "neg",
    "Mul": "mul", "Sub": "sub", "BitwiseAnd": "bitwise_and", "BitwiseOr": "bitwise_or", "BitwiseXor": "bitwise_xor",
}  # fmt: skip
_TESTS = {
    "Equal": "eq", "Less": "lt", "LessOrEqual": "le", "Greater": "gt", "GreaterOrEqual": "ge", "IsNaN": "isnan",
    "Not": "not", "And": "and", "Or": "or", "Xor": "xor",
}  # fmt: skip
OPERATORS: Mapping[str, Callable[[Node], Any]] = {
    **{operator: simple(name) for operator, name in _FLOATS.items()},
    **{operator: simple(name, back=False) for operator, name in _TESTS.items()},
    "Add": _add, "Div": _div, "Pow": _pow, "Mod": _mod, "Clip": _clip, "Cast": _cast, "IsInf": _isinf, "BitShift": _shift,
    "BitCast": _bitcast,
    "Where": _where, "Sign": _sign, "BitwiseNot": _bitwise_not, "Dropout": _dropout, "Max": folded("max"),
    "Min": folded("min"), "Sum": folded("add"), "Mean": _mean,
    "CastLike": lambda n: to(n, n.inputs[0], n.backend.dtype(n.inputs[1])),
    "Reciprocal": lambda n: n.backend.map("div", like(n, n.inputs[0], 1), n.inputs[0]),
    "Identity": lambda n: n.inputs[0],
}  # fmt: skip
