"""Stored integers and the real values that they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np

from safeconvert.errors import UnusableInput
from safeconvert.signature import TensorSpec

Array = np.ndarray[Any, Any]


def is_quantized(spec: TensorSpec) -> bool:
    """Whether a tensor holds integers that stand for real values."""
    return spec.quantization is not None and spec.dtype.startswith(("int", "uint"))


def to_real(array: Array, spec: TensorSpec) -> Array:
    """The real values (float64) of a quantised tensor; any other array unchanged.

    Source: real = scale * (stored - zero_point), TensorFlow Lite 8-bit quantization specification.
    """
    if spec.quantization is None or not is_quantized(spec):
        return array
    return spec.quantization.scale * (array.astype(np.float64) - spec.quantization.zero_point)


def from_real(array: Array, spec: TensorSpec) -> Array:
    """Real values as a quantised tensor stores them: rounded half to even, saturated; other specs: unchanged.

    Raises:
        UnusableInput: a NaN, for which there is no integer.
    """
    if spec.quantization is None or not is_quantized(spec):
        return array
    if np.isnan(array).any():
        raise UnusableInput(f"{spec.name}: NaN cannot be stored as {spec.dtype}")
    limits = np.iinfo(spec.dtype)
    stored = np.rint(array.astype(np.float64) / spec.quantization.scale) + spec.quantization.zero_point
    # clipped as integers would be: float64 cannot hold the largest int64
    inside = np.clip(stored, limits.min, limits.max).astype(np.float64)
    return np.where(inside >= limits.max, limits.max, inside.clip(max=limits.max // 2 * 2)).astype(spec.dtype)
