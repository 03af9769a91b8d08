"""Operators that move blocks of an image into channels or into the batch, and back."""

from __future__ import annotations

import numpy as np

from .graph import Operator, Rule


def channels(operator: str) -> Rule:
    """DEPTH_TO_SPACE and SPACE_TO_DEPTH; both count channels innermost."""

    def rule(o: Operator) -> None:
        if operator == "DepthToSpace":
            return o.give(second=o.write(operator, o.second(), blocksize=o.option("blockSize"), mode="DCR"))
        return o.give(second=o.write(operator, o.second(), blocksize=o.option("blockSize")))

    return rule


def to_batch(o: Operator) -> None:
    """SPACE_TO_BATCH_ND of an image, padded with the zero point."""
    (high, wide), pads = o.integers(1), np.asarray(o.integers(2)).reshape(-1, 2)
    sizes = _sizes(o) + pads.sum(axis=1)
    ends = np.concatenate([[0], pads[:, 0], [0, 0], pads[:, 1], [0]]).astype(int).tolist()
    padded = o.write("Pad", o.last(), o.write.whole(*ends))
    depth = _depth(o)
    apart = o.write.whole(-1, sizes[0] // high, high, sizes[1] // wide, wide, depth)
    moved = o.write("Transpose", o.write("Reshape", padded, apart), perm=[2, 4, 0, 1, 3, 5])
    o.give(last=o.write("Reshape", moved, o.write.whole(-1, sizes[0] // high, sizes[1] // wide, depth)))


def from_batch(o: Operator) -> None:
    """BATCH_TO_SPACE_ND of an image, less its crops."""
    (high, wide), crops = o.integers(1), np.asarray(o.integers(2)).reshape(-1, 2)
    sizes, depth = _sizes(o), _depth(o)
    apart = o.write("Reshape", o.last(), o.write.whole(high, wide, -1, *sizes, depth))
    moved = o.write("Transpose", apart, perm=[2, 3, 0, 4, 1, 5])
    whole = sizes * (high, wide)
    made = o.write("Reshape", moved, o.write.whole(-1, *whole, depth))
    ends = whole - crops[:, 1]
    o.give(last=o.write("Slice", made, *(o.write.whole(*part) for part in (crops[:, 0], ends, (1, 2)))))


def _sizes(o: Operator) -> np.ndarray:
    """Height and width. Raises UnusableInput where they are free."""
    shape = o.tensor(0).shape
    if len(shape) != 4 or None in shape[1:]:
        raise o.refuse("moves blocks of what is no image, or of an image of free size")
    return np.asarray(shape[1:3], np.int64)


def _depth(o: Operator) -> int:
    return int(o.tensor(0).shape[3] or 0)
