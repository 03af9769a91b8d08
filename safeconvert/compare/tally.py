"""Figures that add up: counts, maxima and sums over parts of the inputs, whose merge is exact whatever the parts.

What merges exactly: counts of samples by flag, the largest distances, and the sum behind a mean, kept as a fraction. What does
not: medians and other quantiles, which need all samples at once and are not computed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from safeconvert.compare.bounds import clopper_pearson_upper
from safeconvert.compare.comparison import Comparison, OutputComparison
from safeconvert.errors import UnusableInput

_FRACTION = re.compile(r"([0-9]{1,700})/([1-9][0-9]{0,400})")
LISTED = 1000
"""Disagreeing samples that are named."""


@dataclass(frozen=True)
class Moments:
    """Distances of one output over some samples.

    Attributes:
        name: of the source output.
        comparator: the kind that was applied.
        count: samples with a distance that is finite.
        infinite: samples whose distance is not (their shapes differ).
        total: exact sum of the finite means of |source - target|.
        max_abs, relative: the largest; NaN where there is none.
    """

    name: str
    comparator: str
    count: int
    infinite: int
    total: Fraction
    max_abs: float
    relative: float

    def merge(self, other: Moments) -> Moments:
        """Of both."""
        return replace(
            self,
            count=self.count + other.count,
            infinite=self.infinite + other.infinite,
            total=self.total + other.total,
            max_abs=_larger(self.max_abs, other.max_abs),
            relative=_larger(self.relative, other.relative),
        )

    def to_json(self) -> dict[str, Any]:
        """As `from_json` reads it."""
        return {
            "name": self.name,
            "comparator": self.comparator,
            "count": self.count,
            "infinite": self.infinite,
            "total": f"{self.total.numerator}/{self.total.denominator}",
            "max_abs": repr(self.max_abs),
            "relative": repr(self.relative),
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Moments:
        """What a certificate holds. Raises UnusableInput for anything else."""
        try:
            found = _FRACTION.fullmatch(str(entry["total"]))
            if found is None:
                raise ValueError("no fraction")
            total = Fraction(int(found[1]), int(found[2]))
            counts = (_count(entry["count"]), _count(entry["infinite"]))
            figures = (_distance(entry["max_abs"]), _distance(entry["relative"]))
            return cls(str(entry["name"]), str(entry["comparator"]), *counts, total, *figures)
        except (KeyError, TypeError, ValueError) as error:
            raise UnusableInput(f"figures of a shard that cannot be read: {error}") from error


@dataclass(frozen=True)
class Tally:
    """Distinct samples, counted by what was found of them.

    Attributes:
        samples: that count.
        disagreements, ties, nonfinite, propagated, beyond_tolerance, rounded: as in `Comparison`.
        failing: that disagree or are beyond tolerance, and not by rounding.
        by_output: by output, how many disagree.
        disagreeing: numbers of the first ones that disagree, ascending.
        left_out: generated ones on which the source is not finite, or rounding alone.
        repeated: that equal another one before them.
    """

    samples: int = 0
    disagreements: int = 0
    ties: int = 0
    nonfinite: int = 0
    propagated: int = 0
    beyond_tolerance: int = 0
    rounded: int = 0
    failing: int = 0
    by_output: tuple[int, ...] = ()
    disagreeing: tuple[int, ...] = ()
    left_out: int = 0
    repeated: int = 0

    def merge(self, other: Tally) -> Tally:
        """Of both, which have no sample in common."""
        counts = {
            name: getattr(self, name) + getattr(other, name)
            for name, value in vars(self).items()
            if isinstance(value, int)
        }
        width = max(len(self.by_output), len(other.by_output))
        ours, theirs = (part + (0,) * (width - len(part)) for part in (self.by_output, other.by_output))
        return Tally(
            **counts,
            by_output=tuple(a + b for a, b in zip(ours, theirs, strict=True)),
            disagreeing=tuple(sorted((*self.disagreeing, *other.disagreeing))[:LISTED]),
        )


def with_tally(first: Comparison, tally: Tally, moments: Sequence[Moments], max_discrepancy: float) -> Comparison:
    """The figures of the first inputs and of those behind them as one.

    Args:
        first: of the first inputs; its mean is taken to be over all its samples that are finite.
        tally, moments: of the others, the moments in the order of the outputs.
        max_discrepancy: share that may differ.
    """
    samples = first.samples + tally.samples
    disagreements = first.disagreements + tally.disagreements
    finite = first.samples - first.nonfinite
    outputs = tuple(
        _output(ours, theirs, count, finite)
        for ours, theirs, count in zip(first.outputs, moments, tally.by_output or (0,) * len(moments), strict=True)
    )
    failing = max(first.disagreements + first.beyond_tolerance - first.rounded, 0) + tally.failing
    return replace(
        first,
        samples=samples,
        disagreements=disagreements,
        discrepancy=disagreements / samples if samples else math.nan,
        upper_bound=clopper_pearson_upper(disagreements, samples),
        ties=first.ties + tally.ties,
        nonfinite=first.nonfinite + tally.nonfinite,
        propagated=first.propagated + tally.propagated,
        beyond_tolerance=first.beyond_tolerance + tally.beyond_tolerance,
        rounded=first.rounded + tally.rounded,
        max_abs=_largest([output.max_abs for output in outputs]),
        mean_abs=_mean([output.mean_abs for output in outputs]),
        relative=_largest([output.relative for output in outputs]),
        equal=first.equal and failing <= max_discrepancy * samples,
        outputs=outputs,
        disagreeing=tuple(sorted((*first.disagreeing, *tally.disagreeing))[:LISTED]),
    )


def _output(first: OutputComparison, moments: Moments, disagreements: int, finite: int) -> OutputComparison:
    known = finite if not math.isnan(first.mean_abs) else 0
    count = known + moments.count
    if moments.infinite or math.isinf(first.mean_abs):
        mean = math.inf
    elif count:
        before = Fraction(first.mean_abs) * known if known else Fraction(0)
        mean = float((before + moments.total) / count)
    else:
        mean = math.nan
    return replace(
        first,
        disagreements=first.disagreements + disagreements,
        max_abs=_larger(first.max_abs, moments.max_abs),
        mean_abs=mean,
        relative=_larger(first.relative, moments.relative),
    )


def _larger(one: float, other: float) -> float:
    """The larger one; NaN stands for none."""
    return other if math.isnan(one) else one if math.isnan(other) else max(one, other)


def _largest(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return max(known) if known else math.nan


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _distance(value: object) -> float:
    found = float(str(value))
    if found < 0:
        raise ValueError(f"{value!r} is no distance")
    return found
