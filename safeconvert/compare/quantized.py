"""Stored integers and the real values that they represent."""

from __future__ import annotations

from typing import Any

import numpy as np

from safeconvert.core.signature import TensorSpec
from safeconvert.errors import UnusableInput

Array = np.ndarray[Any, Any]


def is_quantized(spec: TensorSpec) -> bool:
    """Whether a tensor holds integers that represent real values."""
    return spec.quantization is not None and spec.dtype.startswith(("int", "uint"))


def same_storage(source: TensorSpec, target: TensorSpec) -> bool:
    """Whether stored numbers mean the same on both sides: neither quantised, or both in the same way."""
    if not (is_quantized(source) or is_quantized(target)):
        return True
    return source.dtype == target.dtype and source.quantization == target.quantization


def to_real(array: Array, spec: TensorSpec) -> Array:
    """The real values (float64) of a quantised tensor; any other array unchanged.

    Source: real = scale * (stored - zero_point), TensorFlow Lite 8-bit quantization specification.
    """
    if spec.quantization is None or not is_quantized(spec):
        return array
    real: Array = spec.quantization.scale * (array.astype(np.float64) - spec.quantization.zero_point)
    return real


def from_real(array: Array, spec: TensorSpec) -> Array:
    """Real values as a quantised tensor (of at most 32 bits) stores them; other specs: unchanged.

    Rounded half to even and saturated, as ONNX QuantizeLinear does.

    Raises:
        UnusableInput: a NaN, for which there is no integer.
    """
    if spec.quantization is None or not is_quantized(spec):
        return array
    if np.isnan(array).any():
        raise UnusableInput(f"{spec.name}: NaN cannot be stored as {spec.dtype}")
    limits = np.iinfo(spec.dtype)
    stored = np.rint(array.astype(np.float64) / spec.quantization.scale) + spec.quantization.zero_point
    inside: Array = np.clip(stored, limits.min, limits.max).astype(spec.dtype)
    return inside
