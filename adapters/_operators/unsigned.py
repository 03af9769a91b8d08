"""Unsigned integers of 64 bits: keras.ops computes with 32 of them, TFLite and PyTorch not at all. Their bits as int64 say the same."""

from __future__ import annotations

from typing import Any

import numpy as np

_SAME = {
    "eq", "ne", "add", "sub", "mul", "neg", "where", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not", "shift_left",
}  # fmt: skip
"""Functions that give the same bits, whether the first of them is a sign or not."""
_ORDERED = {"lt", "le", "gt", "ge", "max", "min"}
_TRUTHS = {"eq", "ne", "lt", "le", "gt", "ge"}
_LEAST = np.array(np.iinfo(np.int64).min)


def is_unsigned(b: Any, name: str, *xs: Any) -> bool:
    """Whether a function is one of numbers of uint64."""
    return bool(b.dtype(xs[1] if name == "where" else xs[0]) == "uint64")


def mapped(b: Any, name: str, *xs: Any) -> Any:
    """What a back end's `map` gives, of operands that are of uint64, or conditions.

    Raises:
        KeyError: the function cannot be said of the bits.
    """
    if name in ("abs", "relu"):
        return xs[0]
    if name not in _SAME | _ORDERED | {"quotient", "mod", "fmod"}:
        raise KeyError(f"{name} of uint64")
    signed = [_bits(b, x, "int64") if b.dtype(x) == "uint64" else x for x in xs]
    if name in _SAME:
        made = b.map(name, *signed)
    elif name in _ORDERED:
        made = _ordered(b, name, *signed)
    else:
        made = _quotient(b, *signed)
        made = made if name == "quotient" else b.map("sub", signed[0], b.map("mul", made, signed[1]))
    return made if name in _TRUTHS else _bits(b, made, "uint64")


def _ordered(b: Any, name: str, *xs: Any) -> Any:
    """A comparison of bits; moved by half of the numbers their order is that of int64."""
    made = b.map(name, *(b.map("add", x, _LEAST) for x in xs))
    return made if name in _TRUTHS else b.map("add", made, _LEAST)


def _quotient(b: Any, x: Any, y: Any) -> Any:
    """Of half of the dividend, which has no sign, twice, and one more where the rest says so; of a divisor with the first bit 0 or 1."""
    half = b.map("bitwise_and", b.map("shift_right", x, np.array(1)), ~_LEAST)
    low = b.map("mul", b.map("quotient", half, y), np.array(2))
    more = _ordered(b, "ge", b.map("sub", x, b.map("mul", low, y)), y)
    found = b.map("add", low, b.cast(more, "int64"))
    return b.map("where", b.map("lt", y, np.array(0)), b.cast(_ordered(b, "ge", x, y), "int64"), found)


def _bits(b: Any, x: Any, kind: str) -> Any:
    return np.asarray(x).view(kind) if isinstance(x, (np.ndarray, np.generic)) else b.bitcast(x, kind)
