"""Every operator that has a module here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import (
    activation,
    detection,
    elementwise,
    indexing,
    normalization,
    products,
    quantization,
    recurrent,
    reduction,
    resizing,
    sampling,
    shaping,
    spectra,
    unpooling,
    windows,
)
from .node import Node

_FAMILIES = (
    elementwise, activation, reduction, shaping, indexing, windows, products, normalization, quantization, resizing, recurrent,
    sampling, spectra, unpooling, detection,
)  # fmt: skip
OPERATORS: Mapping[str, Callable[[Node], Any]] = {
    operator: function for family in _FAMILIES for operator, function in family.OPERATORS.items()
}
READS_SIZES = shaping.READS_SIZES
"""Operators that take sizes with free ones among them; the others get them as a tensor."""
