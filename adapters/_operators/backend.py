"""The primitives that a back end offers to the operator modules.

Tensors keep ONNX' order of dimensions, images have channels second. Every primitive also takes numpy arrays. What a framework
cannot express is refused with a NotImplementedError or, for a name in a table, with a KeyError that the walk turns into one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

Tensor = Any
Sizes = Sequence[Any]  # ints, free sizes


class Backend(Protocol):
    """What `adapters/keras_ops` and `adapters/torch_ops` implement."""

    def dtype(self, x: Tensor) -> str:
        """numpy's name of the element type."""

    def shape(self, x: Tensor) -> tuple[Any, ...]:
        """Sizes, some perhaps free."""

    def tensor(self, x: Tensor) -> Tensor:
        """A known array as a tensor; a tensor as it is."""

    def sizes_tensor(self, sizes: np.ndarray) -> Tensor:
        """Sizes, some of them free, as an int64 tensor."""

    def map(self, name: str, *xs: Tensor) -> Tensor:
        """An element-wise function with broadcasting; the dtype is the first operand's, of comparisons bool."""

    def cast(self, x: Tensor, dtype: str) -> Tensor:
        """Elements of another type, truncated towards zero."""

    def bitcast(self, x: Tensor, dtype: str) -> Tensor:
        """The same bits read as another type of the same width."""

    def reshape(self, x: Tensor, sizes: Sizes) -> Tensor:
        """The same elements in order."""

    def transpose(self, x: Tensor, order: Sequence[int]) -> Tensor:
        """Dimension j of the result is dimension order[j] of x."""

    def broadcast(self, x: Tensor, sizes: Sizes) -> Tensor:
        """Repeated along dimensions of size 1, and along new ones in front."""

    def tile(self, x: Tensor, repeats: Sequence[int]) -> Tensor:
        """Repeated as a whole along each axis."""

    def concat(self, xs: Sequence[Tensor], axis: int) -> Tensor:
        """Joined along an axis."""

    def slice(self, x: Tensor, parts: Sequence[slice]) -> Tensor:
        """A part with positive steps along each axis."""

    def flip(self, x: Tensor, axes: Sequence[int]) -> Tensor:
        """Reversed along axes."""

    def pad(self, x: Tensor, pads: Sequence[tuple[int, int]], value: Any = 0) -> Tensor:
        """A constant around it; pads are not negative."""

    def take(self, x: Tensor, indices: Tensor, axis: int) -> Tensor:
        """numpy's take with indices that are not negative."""

    def take_along(self, x: Tensor, indices: Tensor, axis: int) -> Tensor:
        """numpy's take_along_axis with indices that are not negative; all other sizes are equal."""

    def scatter(self, x: Tensor, indices: Tensor, updates: Tensor, how: str) -> Tensor:
        """x (1-D) with updates at indices (1-D, not negative): how is none, add, mul, max or min."""

    def reduce(self, name: str, x: Tensor, axes: Sequence[int], keep: bool) -> Tensor:
        """sum, mean, max, min, prod, any or all over axes."""

    def arg(self, name: str, x: Tensor, axis: int) -> Tensor:
        """First index of the max or min, int64."""

    def top(self, x: Tensor, k: int, axis: int, largest: bool) -> tuple[Tensor, Tensor]:
        """The k largest or smallest in order, and their indices (int64); of equal ones the first comes first."""

    def positions(self, x: Tensor) -> Tensor:
        """Where a vector of bools is true, in order; int64, as many as there are."""

    def cumulative(self, name: str, x: Tensor, axis: int) -> Tensor:
        """Running sum or prod."""

    def softmax(self, x: Tensor, axis: int) -> Tensor:
        """Over one axis."""

    def gelu(self, x: Tensor, approximate: bool) -> Tensor:
        """x / 2 * (1 + erf(x / sqrt(2))), or the approximation of it by tanh."""

    def matmul(self, x: Tensor, y: Tensor) -> Tensor:
        """numpy's matmul for ranks from 2 up."""

    def linear(self, x: Tensor, weight: np.ndarray, bias: np.ndarray | None) -> Tensor:
        """x @ weight + bias for a known matrix."""

    def einsum(self, equation: str, xs: Sequence[Tensor]) -> Tensor:
        """numpy's einsum."""

    def conv(
        self, x: Tensor, w: Tensor, b: Tensor | None, strides: Sequence[int], pads: Sequence[tuple[int, int]],
        dilations: Sequence[int], groups: int,
    ) -> Tensor:  # fmt: skip
        """ONNX' Conv on (N, C, …) with w of (M, C / groups, …)."""

    def conv_transpose(
        self, x: Tensor, w: Tensor, strides: Sequence[int], dilations: Sequence[int], groups: int
    ) -> Tensor:
        """ONNX' ConvTranspose without padding or bias, w of (C, M / groups, …)."""

    def window(self, name: str, x: Tensor, kernel: Sequence[int], strides: Sequence[int]) -> Tensor:
        """max or mean over windows of (N, C, …), unpadded."""

    def batch_norm(
        self, x: Tensor, scale: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, epsilon: float
    ) -> Tensor:
        """ONNX' BatchNormalization in inference over axis 1."""

    def det(self, x: Tensor) -> Tensor:
        """Determinants of the matrices in the last two dimensions."""
