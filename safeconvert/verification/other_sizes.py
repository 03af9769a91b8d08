"""A target at the sizes that it takes as the source does, besides those of the inputs: shown by running both, not assumed.

A pooling that rounds its size up is one that rounds down where a stride divides what it slides over, and so is the target of one converter or another
the source at 224 pixels, and not at 227. What both models leave free is a claim of the target's interface.

Where only one of both graphs holds a whole number, such as the last place of a table, one call is larger than it: behind the batch, and as a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.exchange import comparable_outputs
from safeconvert.compare.layout import LayoutMismatch
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated, Export, evaluate
from safeconvert.errors import AdapterFailure
from safeconvert.inputs.store import Chunk, saved
from safeconvert.verification.batching import beyond_rounding
from safeconvert.verification.native import compare, feed_across
from safeconvert.verification.pair import Pair
from safeconvert.verification.resized import first_samples, larger_calls, resized
from safeconvert.verification.types import AtSizes
from safeconvert.workers.run import Run
from safeconvert.workers.session import load_files

_SIZES = (((1, 3), True), ((1,), False), ((97, 131), False), ((7, 12), False), ((32, 64), True), ((64, 96), False))
"""Sizes to try for free dimensions, in turn: so much more than the inputs' (true), or whatever these are. A dimension of one is what operators drop and repeat."""
_CALLS = 4
_EMPTY = 2  # inputs of several that are tried without elements, as what a decoder keeps of no steps yet
_FAILS = "does not run"
_LARGER = 2  # calls that are larger than what only one graph holds
_FACTOR = 16.0
"""How much farther apart than on the inputs the models may be at other sizes, where that is more than rounding."""


def at_other_sizes(run: Run, pair: Pair, settings: VerifySettings, native: Comparison, target: Export) -> AtSizes:
    """What came of calls of other sizes that source and target both take; of none where none are free in both, or the source takes none of those tried.

    Args:
        run: the surroundings.
        pair: a source whose process is alive, and a target that is equal on the inputs.
        settings: how outputs are compared.
        native: how far apart the two are on the inputs.
        target: its ONNX form.
    """
    free = _free(pair)
    if not pair.source.session.alive:
        return AtSizes()
    tried: list[str] = []
    limit = max(run.settings.verify.rounding, _FACTOR * native.relative)
    wanted = [(candidates, _CALLS) for candidates in (_calls(pair, free) if free else ())]
    wanted += [([arrays], _CALLS + _EMPTY) for arrays in _without_elements(pair, free)]
    wanted += [(calls, _CALLS + _EMPTY + _LARGER) for calls in larger_calls(run, pair, free, target)]
    for candidates, most in wanted:
        if len(tried) >= most:
            continue
        try:
            call = _accepted(run, pair, candidates)
        except AdapterFailure:  # the source's process died of a size: it takes none of those behind it either
            break
        if call is None:
            continue
        chunk, ours = call
        arrays = {name: np.load(chunk.arrays[name], mmap_mode="r") for name in free or chunk.arrays}
        shapes = " and ".join(f"{name} {list(array.shape)}" for name, array in arrays.items())
        differing = _differing(run, pair, chunk, ours, settings, limit)
        if not differing:
            tried.append(shapes)
        elif not differing.startswith(_FAILS) or all(array.size for array in arrays.values()):
            return AtSizes(tuple(tried), f"{differing} at {shapes}, which both take")
    return AtSizes(tuple(tried))


def _accepted(run: Run, pair: Pair, candidates: Sequence[Mapping[str, np.ndarray]]) -> tuple[Chunk, Evaluated] | None:
    """The first of some calls that the source takes, with what it gives; None where it takes none, or gives NaN or Inf, which say nothing.

    Raises AdapterFailure where the source's process dies of one.
    """
    session = pair.source.session
    for arrays in candidates:
        whole = pair.source.data.inputs.whole
        rows = 1 if whole else len(next(iter(arrays.values())))
        chunk = Chunk(0, rows, saved(run.folder("sizes"), "in", arrays), whole)
        if session.accepts([dict(chunk.arrays)], run.scratch):
            ours = evaluate(run, session, [dict(chunk.arrays)], "running the source at other sizes")
            return (chunk, ours) if _finite(ours) else None
    return None


def _free(pair: Pair) -> Mapping[str, tuple[int, ...]]:
    """By input of the source, the dimensions behind the batch that both models leave free."""
    found = {}
    for tensor in pair.contract.inputs:
        order = tensor.permutation or tuple(range(len(tensor.source.shape)))
        free = {axis for j, axis in enumerate(order) if j in tensor.target.open} & set(tensor.source.open)
        if free:
            found[tensor.source.name] = tuple(sorted(free))
    return found


def _without_elements(pair: Pair, free: Mapping[str, Sequence[int]]) -> Iterator[dict[str, np.ndarray]]:
    """The first samples, one of several inputs with a free dimension of nothing; a target that does not run on that is none that differs."""
    arrays = first_samples(pair)
    for name, axes in free.items() if len(arrays) > 1 else ():
        yield {**arrays, name: np.take(arrays[name], [], axes[0])}


def _calls(pair: Pair, free: Mapping[str, Sequence[int]]) -> Iterator[list[dict[str, np.ndarray]]]:
    """The first samples, with more or fewer of their values: dimensions that differ in size, and such of one size for models that take no others."""
    arrays = first_samples(pair)
    specs = {spec.name: spec for spec in pair.source.session.signature.inputs}

    def call(sizes: Sequence[int], near: bool) -> dict[str, np.ndarray]:
        made = {}
        for name, array in arrays.items():
            axes = enumerate(free.get(name, ()))
            wanted = [(axis, sizes[place % len(sizes)] + near * array.shape[axis]) for place, axis in axes]
            made[name] = resized(array, specs[name], wanted)
        return made

    several = any(len(axes) > 1 for axes in free.values())
    for sizes, near in _SIZES:
        yield [call(sizes, near), *([call(sizes[:1], near)] if several and len(sizes) > 1 else [])]


def _finite(outputs: Evaluated) -> bool:
    arrays = (array for files in outputs.outputs for array in load_files(files).values())
    return all(bool(np.isfinite(array).all()) for array in arrays if array.dtype.kind in "fc")


def _differing(run: Run, pair: Pair, chunk: Chunk, ours: Evaluated, settings: VerifySettings, limit: float) -> str:
    """How a target differs from what the source gave on a call; "" where it does not."""
    contract = pair.contract
    try:
        feeds = feed_across(contract, [chunk], run.folder("feed"))
        theirs = evaluate(run, pair.target.session, feeds, "running the target at other sizes")
        left, right = comparable_outputs(contract, load_files(ours.outputs[0]), load_files(theirs.outputs[0]))
    except AdapterFailure as failure:
        return f"{_FAILS} ({failure.cause})"
    except LayoutMismatch as mismatch:
        return mismatch.message
    for name, array in left.items():
        if array.shape != right[name].shape:
            return f"gives {name} {list(right[name].shape)}, and the source {list(array.shape)},"
    plain = VerifySettings(tolerance=settings.tolerance, tolerances=settings.tolerances)
    figures = compare(contract, ours, theirs, [chunk], plain).result()
    if not beyond_rounding(figures, limit):
        return ""
    return f"differs (max-abs {figures.max_abs:.3g}, relative {figures.relative:.3g})"
