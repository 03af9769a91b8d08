"""SOFTMAX of words of 16 bits: LiteRT's own kernel, whose exponential and reciprocal are lines between 513 points each.

Source: `LUTPopulateInt16`, `LUTLookup` and `SoftmaxInt16` of TensorFlow Lite; each function has one value for each word.
"""

from __future__ import annotations

from collections.abc import Callable
from math import exp

import numpy as np

from .file import Array
from .graph import Operator
from .rounding import clipped, scaled

_LINES, _BITS = 512, 7
_LOW, _HIGH = -32768, 32767
_LARGEST = 31  # bits of a sum of exponentials
_RANGE = 10.0  # what is smaller than the largest by more has the exponential of this


def of_words(o: Operator) -> None:
    """SOFTMAX along the last axis."""
    count = o.tensor(0).shape[-1]
    if count is None or count >= 1 << (_LARGEST - 15) or o.output.kind != "int16":
        raise o.refuse("is along a free or a very long axis, or gives another type than int16")
    factor = np.float64(o.tensor(0).scale) * np.float64(np.float32(o.option("beta", 1.0))) / (_RANGE / 65535.0)
    under = o.write("Sub", o.last(), o.write("ReduceMax", o.last(), axes=[-1], keepdims=1))
    placed = o.write("Add", scaled(o, under, np.asarray(factor)), o.write.constant(np.int64(_HIGH)))
    shares = _looked_up(o, placed, _table(exp, -_RANGE, 0.0))
    entire = o.write("ReduceSum", shares, o.write.whole(-1), keepdims=1)
    powers = np.int64(1) << np.arange(_LARGEST, dtype=np.int64)
    bits = o.write("ReduceSum", _below(o, entire, powers), o.write.whole(-1), keepdims=0)  # of each sum, at least one
    raised = o.write("Mul", entire, _entry(o, bits, np.concatenate([[0], powers[::-1]])))
    shifted = o.write(
        "Div", o.write("Add", raised, o.write.constant(np.int64(1 << 13))), o.write.constant(np.int64(1 << 14))
    )
    inverse = _looked_up(
        o,
        o.write("Sub", shifted, o.write.constant(np.int64((1 << 15) + (1 << 16)))),
        _table(lambda x: 1 / (1 + x), 0.0, 1.0),
    )
    whole = _entry(o, bits, np.concatenate([[1, 1], powers[1:]]))
    half = _entry(o, bits, np.concatenate([[0, 0], powers[:-1]]))
    made = o.write("Div", o.write("Add", o.write("Mul", shares, inverse), half), whole)
    least = o.write("Max", o.write("Cast", made, to=1), o.write.constant(0))
    o.give(last=clipped(o, least))


def _below(o: Operator, name: str, powers: Array) -> str:
    """One for each power that a whole number is not smaller than, along a further axis."""
    apart = o.write("Unsqueeze", name, o.write.whole(-1))
    return str(o.write("Cast", o.write("GreaterOrEqual", apart, o.write.constant(powers)), to=7))


def _entry(o: Operator, place: str, table: Array) -> str:
    return str(o.write("Gather", o.write.constant(table.astype(np.int64)), place, axis=0))


def _looked_up(o: Operator, name: str, table: Array) -> str:
    """The value of a table of words at whole numbers, which are cut off at its ends."""
    last = o.write.constant(np.int64(len(table) - 1))
    moved = o.write("Sub", name, o.write.constant(np.int64(_LOW)))
    place = o.write("Max", o.write("Min", moved, last), o.write.constant(np.int64(0)))
    return _entry(o, place, table)


def _table(function: Callable[[float], float], least: float, most: float) -> Array:
    """The kernel's value for each word: on lines between points that are moved so that their middles are nearer."""
    step, scale = (most - least) / _LINES, 1 << 15
    points = []
    for number in range(_LINES):
        at = _rounded(function(least + number * step) * scale)
        ahead = function(least + (number + 1) * step) * scale
        middle = _rounded(function(least + number * step + step / 2) * scale)
        off = _rounded((ahead + at) / 2) - middle
        points.append(min(max(at - _rounded(off / 2), _LOW), _HIGH))
    points.append(min(max(_rounded(function(most) * scale), _LOW), _HIGH))
    lines = np.asarray(points, np.int64)
    words = np.arange(1 << 16, dtype=np.int64)
    index, rest = words >> _BITS, words & ((1 << _BITS) - 1)
    slope = lines[index + 1] - lines[index]
    return np.asarray(lines[index] + ((slope * rest + (1 << (_BITS - 1))) >> _BITS))


def _rounded(value: float) -> int:
    """Half away from zero."""
    return int(value + 0.5) if value >= 0 else -int(-value + 0.5)
