"""Is an input that a search found a counterexample, or rounding? A search is drawn to inputs on which rounding is large.

It counts where the source does not move there by rounding alone, and either the models are farther apart than rounding is ever said to
be, or their graphs in float64 are apart as well. What float64 cannot tell is not counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.half_precision import coarseness
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated
from safeconvert.errors import SafeconvertError
from safeconvert.inputs.store import Chunk, picked
from safeconvert.verification.native import real_scales
from safeconvert.verification.pair import Pair
from safeconvert.verification.rounding import apart_in_double
from safeconvert.verification.source import Source
from safeconvert.verification.stability import SEVERAL, stable_samples
from safeconvert.verification.types import Verification
from safeconvert.workers.run import Run

Tried = tuple[tuple[Chunk, ...], Evaluated, Evaluated]
"""Inputs, numbered from 0, and what source and target gave on them."""
_KEPT = 16  # counterexamples of a search that steer a repair


def confirmed(
    run: Run,
    pair: Pair,
    found: Verification,
    settings: VerifySettings,
    tried: Tried,
    figures: Accumulator,
    suspects: np.ndarray,
) -> np.ndarray:
    """Numbers of the suspects that are counterexamples.

    Args:
        run, pair, settings: of the verification.
        found: as it is without the search.
        tried: the inputs with both models' outputs.
        figures: of both models on these.
        suspects: numbers of those on which they are not equal.
    """
    chunks, source, _ = tried
    session = pair.source.session
    stable = stable_samples(run, session, (chunks, source), pair.source.data.seed, suspects, settings, SEVERAL)
    if not len(stable):
        return stable
    scales = real_scales(pair.contract, pair.source.outputs)
    limit = run.settings.verify.rounding * coarseness(source.signature.outputs)
    far = [number for number in stable if _far(figures, int(number), scales, limit)]
    if far:
        return np.asarray(far, dtype=np.int64)
    try:
        apart = apart_in_double(run, pair.source, found, settings, chunks, source)
    except SafeconvertError:
        return stable[:0]
    return np.intersect1d(stable, apart)


def with_counterexamples(run: Run, source: Source, seen: Sequence[Verification | None]) -> Source:
    """The source with the inputs on which a search found these targets to differ, the farthest apart of each; they steer a repair."""
    known = source.counterexamples
    for verification in seen:
        searched = verification.searched if verification is not None else None
        if searched is not None and searched.figures is not None:
            start = known[-1].stop if known else 0
            chosen = picked(searched.chunks, searched.numbers[:_KEPT], run.kept("counterexamples"))
            known = (*known, *(replace(one, start=one.start + start, stop=one.stop + start) for one in chosen))
    return replace(source, counterexamples=known)


def _far(figures: Accumulator, number: int, scales: dict[str, float], limit: float) -> bool:
    """Whether the models are farther apart on a sample than rounding is ever said to be, or differ in something else than distance."""
    one = figures.result(np.asarray([number]))
    if one.nonfinite or any(
        output.disagreements and output.comparator not in ("label", "allclose") for output in one.outputs
    ):
        return True
    return not one.relative <= limit and any(
        not output.max_abs <= limit * scales.get(output.name, 0.0) for output in one.outputs
    )
