"""Orders of a tensor's dimensions, and the two in which frameworks lay out images."""

from __future__ import annotations

Permutation = tuple[int, ...]
"""Dimension j of what comes out is dimension p[j] of what goes in."""


def channels_last(rank: int) -> Permutation:
    """The second dimension goes last."""
    return (0, *range(2, rank), 1)


def channels_second(rank: int) -> Permutation:
    """The last dimension goes second."""
    return (0, rank - 1, *range(1, rank - 1))


NCHW_TO_NHWC, NHWC_TO_NCHW = channels_last(4), channels_second(4)
