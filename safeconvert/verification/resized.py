"""The first samples of a run at other sizes: calls that are tried besides its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from safeconvert.adapter_api.feeding import fixed_batch
from safeconvert.conversion.models import Export
from safeconvert.core.signature import TensorSpec
from safeconvert.verification.graph_pair import of_both
from safeconvert.verification.pair import Pair
from safeconvert.workers.run import Run
from safeconvert.workers.session import load_files

Call = dict[str, np.ndarray]
_ROWS = 2
_CHANGED = (0.5, 1.5)
"""Factors of real values: their signs, and so what they are defined for, stay."""
_MOST = 1 << 19  # numbers of a call that is larger than what only one graph holds
_CANDIDATES = 6  # sizes of which the first that the source takes is tried


def first_samples(pair: Pair) -> Call:
    """The first samples of the inputs, a few rows where there are rows."""
    first = load_files(pair.source.data.chunks[0].arrays)
    whole = pair.source.data.inputs.whole
    return {name: array if whole else np.resize(array, (_ROWS, *array.shape[1:])) for name, array in first.items()}


def resized(array: np.ndarray, spec: TensorSpec, sizes: Sequence[tuple[int, int]]) -> np.ndarray:
    """Values of an array at other sizes, (axis, size) each; real ones changed, so that what repeats them is not as good as they are."""
    if array.ndim != len(spec.shape) or not sizes:
        return array
    random = np.random.default_rng(0)
    for axis, size in sizes:
        old = array.shape[axis]
        places = np.arange(size)
        places[old:] = random.integers(0, old, max(0, size - old))
        array = np.take(array, places, axis)
    if array.dtype.kind != "f":
        return array
    return (array * random.uniform(*_CHANGED, array.shape)).astype(array.dtype)


def larger_calls(run: Run, pair: Pair, free: Mapping[str, Sequence[int]], target: Export) -> Iterator[list[Call]]:
    """Calls larger than whole numbers that only one of both graphs holds: behind the batch, and as a batch; the largest first, of which one is enough.

    Args:
        run: the surroundings.
        pair: the models.
        free: by input, the dimensions behind the batch that both leave free.
        target: the target's ONNX form.
    """
    signatures = pair.source.session.signature, pair.target.session.signature
    rows = not pair.source.data.inputs.whole and all(fixed_batch(one) is None for one in signatures)
    if not free and not rows:
        return
    numbers = of_both(run, "sizes_of_one", "comparing the sizes of both graphs", pair.source.exported, target)
    arrays, specs = first_samples(pair), {spec.name: spec for spec in signatures[0].inputs}
    for axes in (free, dict.fromkeys(arrays, (0,)) if rows else {}):
        calls: list[Call] = []
        for size in (int(number) + 1 for number in sorted(numbers, reverse=True)):
            growth = [size / arrays[name].shape[axis] for name in axes for axis in axes[name] if arrays[name].size]
            if growth and max(growth) > 1 and _count(arrays, axes, size) <= _MOST and len(calls) < _CANDIDATES:
                wanted = {name: [(axis, size) for axis in axes.get(name, ())] for name in arrays}
                calls.append({name: resized(array, specs[name], wanted[name]) for name, array in arrays.items()})
        yield calls


def _count(arrays: Call, axes: Mapping[str, Sequence[int]], size: int) -> int:
    """How many numbers the inputs come to at a size."""
    return sum(
        int(np.prod([size if axis in axes.get(name, ()) else old for axis, old in enumerate(array.shape)]))
        for name, array in arrays.items()
    )
