"""How a quantised operator gets from its exact result to bytes, as XNNPACK does it.

Source: XNNPACK's `qs8` kernels: the 32-bit sum becomes float32, is multiplied by a float32 factor, rounded half to even and cut off.
A sum in float32 is exact while no partial sum passes 2**24, so that the same steps in ONNX give the same bytes on any machine.
"""

from __future__ import annotations

import numpy as np

from .file import Array, Tensor
from .graph import Operator

EXACT = 2.0**24
"""Whole numbers up to here are float32 themselves, and so are their sums in any order."""
_MOST_SHIFTED = 7  # bits to the left, as LiteRT's kernels of 64-bit sums have it
_ACTIVATIONS = {0: (None, None), 1: (0.0, None), 2: (-1.0, 1.0), 3: (0.0, 6.0)}


def bounds(o: Operator, activation: int = 0) -> tuple[int, int]:
    """Least and largest byte less the zero point that an operator gives, with its fused activation."""
    if activation not in _ACTIVATIONS:
        raise o.refuse(f"has the fused activation {activation}, which is not supported")
    low, high = o.output.bounds
    least, most = _ACTIVATIONS[activation]
    if least is not None:
        low = max(low, _byte(least, o.output))
    if most is not None:
        high = min(high, _byte(most, o.output))
    return low, high


def _byte(value: float, tensor: Tensor) -> int:
    """A real value in steps; half away from zero, as TFLite rounds the bounds of activations."""
    steps = np.float32(value) / tensor.scale
    return int(np.copysign(np.floor(np.abs(steps) + np.float32(0.5)), steps))


def clipped(o: Operator, name: str, activation: int = 0) -> str:
    """Whole numbers cut off at what the output stores."""
    low, high = bounds(o, activation)
    return str(o.write("Clip", name, o.write.constant(low), o.write.constant(high)))


def requantized(o: Operator, name: str, factor: Array | np.float32, activation: int = 0) -> str:
    """An exact sum in float32 as bytes less the zero point: times a float32 factor, rounded half to even, cut off.

    The sum is a whole number, and rounding it says so: otherwise ONNX Runtime moves the factor into the weights in front (ConvMulFusion), and
    one value in half a million is a step off.
    """
    exact = o.write("Round", name)
    scaled = o.write("Mul", exact, o.write.constant(np.asarray(factor, np.float32)))
    return clipped(o, o.write("Round", scaled), activation)


def fixed_point(o: Operator, name: str, scales: Array, activation: int = 0) -> str:
    """An exact sum as LiteRT's own kernels round it: `scaled`, and cut off.

    Args:
        o: the operator.
        name: whole numbers in float32 or float64.
        scales: real factors in float64, shaped as they are broadcast.
        activation: the fused one.
    """
    return clipped(o, o.write("Cast", scaled(o, o.write("Round", name), scales), to=1), activation)


def scaled(o: Operator, name: str, scales: Array) -> str:
    """Whole numbers times a 31-bit multiplier, its upper half, and shifted right; in int64.

    Source: gemmlowp's SaturatingRoundingDoublingHighMul and RoundingDivideByPOT; both round halves, the first up, the second away from zero.

    Args:
        o: the operator.
        name: whole numbers in int64, or in a type of floats.
        scales: real factors in float64, shaped as they are broadcast.
    """
    multipliers, exponents = of_31_bits(scales)
    return multiplied(o, name, multipliers, exponents)


def of_31_bits(scales: Array) -> tuple[Array, Array]:
    """Factors as whole numbers of 31 bits and exponents of two."""
    mantissas, exponents = np.frexp(scales)
    multipliers = np.floor(mantissas * 2.0**31 + 0.5).astype(np.int64)
    grown = multipliers == 1 << 31
    return np.where(grown, multipliers // 2, multipliers), exponents + grown


def multiplied(o: Operator, name: str, multipliers: Array | int, exponents: Array | int) -> str:
    """Whole numbers times multipliers of 31 bits and powers of two as `scaled` rounds them."""
    left, right = (np.maximum(sign * np.asarray(exponents), 0).astype(np.int64) for sign in (1, -1))
    wide = o.write("Cast", name, to=7)
    product = o.write("Mul", wide, o.write.constant((np.asarray(multipliers, np.int64) << left).astype(np.int64)))
    half = np.asarray(1 << 30, np.int64)
    upper = _divided(o, product, np.asarray(1 << 31, np.int64), half, 1 - half)
    halves = (np.int64(1) << right) >> 1
    return _divided(o, upper, np.int64(1) << right, halves, -halves)


def scaled_once(o: Operator, name: str, scales: Array, bits: int = 31) -> str:
    """Whole numbers times a multiplier of 31 or 16 bits and shifted right, half up, rounded once; in int64.

    Args:
        o: the operator.
        name: whole numbers in int64, or in a type of floats.
        scales: real factors in float64, shaped as they are broadcast.
        bits: of the multiplier; of 16 bits, it is the upper half of one of 31.
    """
    multipliers, exponents = of_31_bits(scales)
    if exponents.max() > _MOST_SHIFTED or exponents.min() < -31:
        raise o.refuse("has a scale that is out of the kernel's range")
    if bits == 16:
        multipliers = np.where(multipliers < 0x7FFF0000, (multipliers + (1 << 15)) >> 16, 0x7FFF)
    whole = np.int64(1) << (bits - (bits == 16) - exponents).astype(np.int64)
    product = o.write("Mul", o.write("Cast", name, to=7), o.write.constant(multipliers))
    raised = o.write("Add", product, o.write.constant(whole >> 1))
    return _divided(o, raised, whole, np.asarray(0, np.int64), 1 - whole)


def _divided(o: Operator, name: str, divisor: Array, above: Array, below: Array) -> str:
    """An integer division that drops the fraction, after adding one number at zero and above, another below."""
    zero = o.write.constant(np.asarray(0, np.int64))
    negative = o.write("Less", name, zero)
    added = o.write("Where", negative, *(o.write.constant(np.asarray(one, np.int64)) for one in (below, above)))
    return str(o.write("Div", o.write("Add", name, added), o.write.constant(np.asarray(divisor, np.int64))))


def activated(o: Operator, name: str, activation: int) -> str:
    """The fused activation of an operator in float32."""
    if activation not in _ACTIVATIONS:
        raise o.refuse(f"has the fused activation {activation}, which is not supported")
    least, most = _ACTIVATIONS[activation]
    if least is None:
        return name
    if most is None:
        return str(o.write("Relu", name))
    return str(o.write("Clip", name, o.write.constant(least), o.write.constant(most)))
