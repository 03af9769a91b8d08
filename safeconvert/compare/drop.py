"""By how much a metric falls from source to target at most: figures of both models on the same inputs, in pairs.

Most inputs count for both models alike. What the target loses and wins against the source are the pairs that differ, and the fall of
the metric is the difference of their rates. Each rate has an exact bound (Clopper and Pearson, Biometrika 26, 1934), and the two
together hold by Bonferroni's inequality. Scores other than 0 and 1 have the empirical Bernstein bound of Maurer and Pontil
("Empirical Bernstein bounds and sample variance penalization", COLT 2009, theorem 4), which asks for nothing but their range.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from safeconvert.compare.bounds import clopper_pearson_upper
from safeconvert.core.faults import finite

Array = np.ndarray[Any, Any]
_OF_LOST = 0.8  # of the probability of error that goes into the bound of what is lost, which is what grows the fall


@dataclass(frozen=True)
class Drop:
    """A metric of source and target on the same inputs.

    Attributes:
        metric: its name.
        samples: inputs that both models were scored on.
        source, target: means of the scores, from 0 to 1.
        lost, won: inputs on which the target scores lower, and higher, than the source.
        upper: the fall of the metric is below, with `confidence`, for inputs drawn like these.
        confidence: see `upper`.
        allowed: the largest fall that may be.
        mcnemar: exact two-sided p-value of McNemar's test, that losing and winning are equally likely.
        whole: scores are 0 or 1.
    """

    metric: str
    samples: int
    source: float
    target: float
    lost: int
    won: int
    upper: float
    confidence: float
    allowed: float
    mcnemar: float
    whole: bool

    @property
    def fall(self) -> float:
        """The fall on these inputs; below zero where the target scores higher."""
        return self.source - self.target

    @property
    def holds(self) -> bool:
        """Whether the fall is shown to be no more than allowed."""
        return self.samples > 0 and self.upper <= self.allowed

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {
            "metric": self.metric, "samples": self.samples, "source": finite(self.source), "target": finite(self.target), "lost": self.lost,
            "won": self.won, "upper": self.upper, "confidence": self.confidence, "allowed": self.allowed,
            "mcnemar": self.mcnemar, "whole": self.whole,
        }  # fmt: skip


def paired_drop(metric: str, source: Array, target: Array, allowed: float, confidence: float) -> Drop:
    """The fall of a metric, from the scores of both models on the same inputs.

    Args:
        metric: its name.
        source, target: scores from 0 to 1, float64 (n,).
        allowed: the largest fall that may be.
        confidence: of the bound.
    """
    count, apart = len(source), source - target
    lost, won = int((apart > 0).sum()), int((apart < 0).sum())
    whole = bool(np.isin(source, (0.0, 1.0)).all() and np.isin(target, (0.0, 1.0)).all())
    upper = pairs_upper(lost, won, count, confidence) if whole else bernstein_upper(apart, confidence)
    before, after = (float(scores.mean()) if count else math.nan for scores in (source, target))
    return Drop(metric, count, before, after, lost, won, upper, confidence, allowed, mcnemar(lost, won), whole)


def pairs_upper(lost: int, won: int, samples: int, confidence: float) -> float:
    """The difference of the rates of two kinds of pairs is below, with this confidence; 1 without samples.

    Raises:
        ValueError: counts that cannot be.
    """
    if lost < 0 or won < 0 or lost + won > samples:
        raise ValueError(f"{lost} lost and {won} won of {samples}")
    if not samples:
        return 1.0
    doubt = 1 - confidence
    most_lost = clopper_pearson_upper(lost, samples, 1 - _OF_LOST * doubt)
    least_won = 1 - clopper_pearson_upper(samples - won, samples, 1 - (1 - _OF_LOST) * doubt)
    return most_lost - least_won


def bernstein_upper(apart: Array, confidence: float) -> float:
    """The mean of differences from -1 to 1 is below, with this confidence; 1 for fewer than two."""
    count = len(apart)
    if count < 2:
        return 1.0
    term = math.log(2 / (1 - confidence))
    spread = math.sqrt(2 * float(apart.var(ddof=1)) * term / count)
    return min(1.0, float(apart.mean()) + spread + 7 * 2 * term / (3 * (count - 1)))


def mcnemar(lost: int, won: int) -> float:
    """Exact two-sided p-value of McNemar's test (Psychometrika 12, 1947): a binomial test of the pairs that differ."""
    from scipy.special import bdtr

    pairs = lost + won
    return min(1.0, 2 * float(bdtr(min(lost, won), pairs, 0.5))) if pairs else 1.0


def needed(allowed: float, confidence: float) -> int:
    """How many inputs it takes at least, of which none is lost, to show that a metric falls by no more than allowed."""
    if allowed >= 1:
        return 1
    if allowed <= 0:
        raise ValueError("no number of inputs shows a fall of nothing")
    return math.ceil(math.log(_OF_LOST * (1 - confidence)) / math.log1p(-allowed))


def shown_by(count: int, confidence: float) -> float:
    """The smallest fall that so many inputs show, none of them lost; the inverse of `needed`."""
    if count < 1:
        return 1.0
    return float(1 - (_OF_LOST * (1 - confidence)) ** (1 / count))
