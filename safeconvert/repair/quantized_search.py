"""Quantised files judged on the steering inputs: with what done about which operators, and how far each operator alone moves the outputs."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.settings import VerifySettings
from safeconvert.core.optimize import Io
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.repair.fewest import Trial, distance
from safeconvert.repair.judging import Judged, Judging
from safeconvert.repair.means import NOTHING, Means, Plan
from safeconvert.repair.quantized_file import Quantizer, with_corrected_biases
from safeconvert.verification.scored import labels_of
from safeconvert.verification.subset import Subset, subset
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class Search:
    """What quantised files are judged on.

    Attributes:
        quantizer: that makes them.
        settings: what counts as equal.
        steering: the steering inputs, and the source's outputs on them.
        labels: of these, by number; None where there are none.
        harm: by place of an operator, how far it alone moves the outputs; empty before `ranked`.
        judgements: what was judged on all steering inputs so far, by plan.
    """

    run: Run
    quantizer: Quantizer
    settings: VerifySettings
    steering: Subset
    labels: np.ndarray | None
    harm: Mapping[int, float] = field(default_factory=dict)
    judgements: dict[Plan, Judged] = field(default_factory=dict)

    def judge(self, plan: Plan) -> Judged:
        """The file with this done about its operators, on all steering inputs; each once."""
        if plan not in self.judgements:
            self.judgements[plan] = self._judge(plan, self.steering)
        return self.judgements[plan]

    def cost(self, plan: Plan) -> int:
        """Bytes of the file with this done about its operators."""
        return self.judge(plan).bytes

    @property
    def order(self) -> list[int]:
        """Places of the operators, the most harmful first."""
        return sorted(self.harm, key=lambda index: -self.harm[index])

    @property
    def names(self) -> list[str]:
        """Of the operators; fused ones list all that they stand for, of which the first is taken."""
        return [one.name.partition(";")[0] for one in self.quantizer.operators]

    @property
    def trials(self) -> list[Trial]:
        """What was judged, in order."""
        return [
            Trial(tuple(plan.indices), one.figures, plan.described(self.names)) for plan, one in self.judgements.items()
        ]

    def ranked(self) -> Search:
        """Each operator judged alone, all others in float."""
        probes = self.steering.first(1)  # the ranking needs an order, not a verdict
        indices = range(len(self.quantizer.operators))
        plans = {one: Plan.of([index for index in indices if index != one], Means.FLOAT) for one in indices}
        return replace(self, harm={one: distance(self._judge(plan, probes).figures) for one, plan in plans.items()})

    def _judge(self, plan: Plan, on: Subset) -> Judged:
        """Equal where the metric, or else the comparator, allows it; all is lost where the file cannot be made or does not run, which is no reason to try no other."""
        try:
            return self._measured(plan, on)
        except (AdapterFailure, UnusableInput):
            if plan == NOTHING:
                raise
            return _unusable(on.chunks[-1].stop)

    def _measured(self, plan: Plan, on: Subset) -> Judged:
        target = self.quantizer.target
        made = self.quantizer.write(plan, Io.FLOAT32)
        by = Judging(self.run, target.source, target.contract, target.target_format, self.labels, self.settings)
        return by.judged(made.candidate.path, made.bytes, on)


def _unusable(samples: int) -> Judged:
    """What is taken for a file that does not run."""
    far = math.inf
    figures = Comparison(samples, samples, 1.0, 1.0, 0, 0, 0, far, far, far, False, (), ())
    return Judged(figures, 1.0, np.ones(samples), sys.maxsize)


def search(run: Run, quantizer: Quantizer, settings: VerifySettings) -> Search:
    """On all steering inputs of the target's source."""
    source = quantizer.target.source
    numbers = [int(number) for number in source.steering]
    labels = labels_of(source)
    own = labels[numbers] if labels is not None else None
    return Search(run, quantizer, settings, subset(run, source, numbers, first=8), own)


def with_best_biases(begun: Search, plain: Path) -> Search:
    """With biases corrected, which costs nothing and is better on average; without, where that is surely better on the steering inputs.

    Args:
        begun: with the biases of the float target.
        plain: what its quantizer writes with nothing done about any operator.
    """
    corrected = with_corrected_biases(begun.quantizer, plain)
    if not corrected.corrected:
        return begun
    other = replace(begun, quantizer=corrected, judgements={})
    return begun if begun.judge(NOTHING).surely_better(other.judge(NOTHING)) else other


def allowed_means(made: Search, integers_only: bool, share: float, spare: float) -> dict[Means, Sequence[int]]:
    """By means, the operators that it may be used for.

    Args:
        made: ranked, with a quantizer that knows its means.
        integers_only: hardware that knows nothing else has to compute the file.
        share: of the work of all operators, by its estimate: anything that costs bytes or time may be used for those of the most harmful that are
            no more than that together.
        spare: bytes that float weights may cost, in the same way.
    """
    known = made.quantizer.by_operator
    usable = known.usable if known is not None else {}
    operators = made.quantizer.operators
    work = [one.work for one in operators]
    worst = within(made.order, work, share * sum(work))
    few = {
        Means.HALF: within(made.order, [one.weights for one in operators], spare),
        Means.FLOAT: within(made.order, [3 * one.weights for one in operators], spare),
    }
    found = {means: usable.get(means, ()) for means in Means if means.integers or not integers_only}
    return {
        means: indices if means is Means.RANGE else [i for i in indices if i in worst & few.get(means, worst)]
        for means, indices in found.items()
    }


def within(order: Sequence[int], costs: Sequence[int], budget: float) -> set[int]:
    """The first of a ranking that together cost no more than a budget; one that is too much is passed over."""
    found = set()
    for index in order:
        if costs[index] <= budget:
            budget -= costs[index]
            found.add(index)
    return found
