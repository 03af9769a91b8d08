"""Whether each element of an output takes more than one value over the samples: of a constant one nothing is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np

from safeconvert.conversion.models import Evaluated
from safeconvert.inputs.store import Chunk
from safeconvert.workers.session import load_files

_Range = tuple[np.ndarray, np.ndarray]
"""Smallest and largest values, by element."""


def output_elements(
    chunks: Sequence[Chunk], outputs: Evaluated, usable: np.ndarray, constant: Sequence[Sequence[bool]]
) -> tuple[tuple[str, ...], frozenset[str]]:
    """One item an output: whether each of its elements takes more than one value over the samples.

    Elements that hold one value whatever the inputs are (`constant`, by place of the output) are left out, and an output of such alone.
    """
    seen: dict[str, dict[tuple[int, ...], _Range]] = {}
    for chunk, files in zip(chunks, outputs.outputs, strict=True):
        rows = [int(number) - chunk.start for number in usable if chunk.start <= number < chunk.stop]
        if not rows:
            continue
        for name, array in load_files(files).items():
            if array.dtype.kind not in "biuf":
                continue
            picked = array[rows] if not chunk.whole and array.shape[:1] == (chunk.stop - chunk.start,) else array[None]
            by_shape = seen.setdefault(name, {})
            found = picked.min(axis=0), picked.max(axis=0)
            by_shape[found[0].shape] = _both(by_shape.get(found[0].shape, found), found)
    items, exercised = [], set()
    indices = {spec.name: index for index, spec in enumerate(outputs.signature.outputs)}
    for name, by_shape in seen.items():
        least, most = _over_sizes(by_shape)
        flags = constant[indices[name]] if indices.get(name, len(constant)) < len(constant) else [False]
        fixed = np.asarray(flags) if len(flags) in (1, *least.shape[-1:]) else np.asarray([False])
        if fixed.all():
            continue
        still = int(((least == most) & ~fixed).sum())
        size = "" if len(by_shape) == 1 else ", whose size differs from call to call"
        item = f"every element of output {name}{size}" + (f" ({still} of {least.size} are constant)" if still else "")
        items.append(item)
        if not still:
            exercised.add(item)
    return tuple(items), frozenset(exercised)


def _both(one: _Range, other: _Range) -> _Range:
    return np.minimum(one[0], other[0]), np.maximum(one[1], other[1])


def _over_sizes(by_shape: Mapping[tuple[int, ...], _Range]) -> _Range:
    """The smallest and largest values over outputs of several sizes: by the dimensions that are as long in all of them."""
    if len(by_shape) == 1:
        return next(iter(by_shape.values()))
    shapes = [shape for shape in by_shape if 0 not in shape]
    if not shapes:
        return next(iter(by_shape.values()))
    alike = len({len(shape) for shape in shapes}) == 1
    free = (
        tuple(axis for axis, sizes in enumerate(zip(*shapes, strict=False)) if len(set(sizes)) > 1) if alike else None
    )
    found = [
        (np.min(by_shape[shape][0], axis=free, keepdims=True), np.max(by_shape[shape][1], axis=free, keepdims=True))
        for shape in shapes
    ]
    if not alike:
        found = [(low.reshape(()), high.reshape(())) for low, high in found]
    return reduce(_both, found)
