"""The fewest layers of a reduced target that must have their bits back for it to count as equal: bisection on a ranking, then thinning.

Source: FetaFix (Louloudakis et al., EASE 2025), cases 2, 5, 8 and 15, where weights are replaced layer by layer in the order of
suspicion until labels agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from safeconvert.compare.comparison import Comparison
from safeconvert.core.faults import EvaluationRecord, FaultRecord, ScoreRecord, TrialOutcome, TrialRecord
from safeconvert.repair.types import Diagnosis


@dataclass(frozen=True)
class Trial:
    """Layers repaired together.

    Attributes:
        layers: their numbers.
        figures: on the steering inputs.
        means: how, in words, where there are several; else "".
    """

    layers: tuple[int, ...]
    figures: Comparison
    means: str = ""


def fewest(ranked: Sequence[int], enough: Callable[[list[int]], bool], most_trials: int) -> list[int]:
    """The first of a ranking that are enough together, less those that turn out superfluous.

    All of them are taken to be enough. No single one of the answer can be left out, as far as the trials reach.

    Args:
        ranked: layers, the most harmful first.
        enough: whether restoring these is.
        most_trials: of leaving out one that was restored, the least harmful first.
    """
    chosen = list(ranked[: bisect(lambda count: enough(list(ranked[:count])), len(ranked))])
    for number in list(reversed(chosen))[:most_trials]:
        fewer = [other for other in chosen if other != number]
        if fewer and enough(fewer):
            chosen = fewer
    return chosen


def bisect(enough: Callable[[int], bool], most: int) -> int:
    """The smallest count that is enough, where more never hurts; `most` is taken to be enough."""
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low


def widened(chosen: Sequence[int], ranked: Sequence[int]) -> list[int]:
    """A quarter more of a ranking than was chosen, one at least, as far as there are any."""
    more = min(len(ranked), max(len(chosen) + 1, math.ceil(1.25 * len(chosen))))
    return [*chosen, *[number for number in ranked if number not in chosen][: more - len(chosen)]]


def record(
    faults: Sequence[FaultRecord], rank: Mapping[int, int], chosen: Sequence[int], trials: Sequence[Trial]
) -> Diagnosis:
    """The state of a search.

    Args:
        faults: a layer each, in the order of the ranking.
        rank: by layer, its place there.
        chosen: the layers restored.
        trials: in the order in which they were made; the first restores nothing.
    """
    first = trials[0].figures
    last = next((one.figures for one in reversed(trials) if set(one.layers) == set(chosen)), trials[-1].figures)
    kept = tuple(
        TrialRecord(
            tuple(sorted(rank[number] for number in one.layers)),
            TrialOutcome.ACCEPTED if one.figures.equal else TrialOutcome.NO_GAIN,
            one.means,
            score(first),
            score(one.figures),
        )
        for one in trials[1:]
    )
    return Diagnosis(
        faults=tuple(faults),
        trials=kept,
        before=EvaluationRecord(score(first), first.disagreeing),
        after=EvaluationRecord(score(last), last.disagreeing),
        rounds=1,
        ended="equal" if last.equal else "localized only",
    )


def score(figures: Comparison) -> ScoreRecord:
    """Figures as a trial has them."""
    share = max(figures.disagreements, figures.beyond_tolerance) / max(figures.samples, 1)
    return ScoreRecord(share, figures.relative, figures.discrepancy, figures.max_abs)


def distance(figures: Comparison) -> float:
    """How far outputs are moved on average; inf where they are no numbers."""
    return figures.mean_abs if math.isfinite(figures.mean_abs) else math.inf
