"""Samples that exercise what all others leave out, found by changing the ones that come nearest.

Noise that kills a net's first Relu exercises nothing behind it, and a bound that only one sample in a thousand passes is passed by none
of a hundred. From the samples that are there, those nearest to what is left out are changed, and changed again, until nothing comes
nearer any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from safeconvert.graph.coverage import Coverage, Judged
from safeconvert.graph.mutate import Range, changed
from safeconvert.graph.reach_plan import Plan

Array = np.ndarray[Any, Any]

_LARGEST_OUTPUT = 1 << 16  # numbers of a sample
Sample = list[Array]
"""Of each input of the graph, in order, the values without a batch."""


def reached(
    coverage: Coverage, base: Sequence[Sample], tried: Sequence[Sample], ranges: Sequence[Range], plan: Plan
) -> list[Sample]:
    """Samples that exercise what those of `base` do not, each at least one thing that those before it leave out.

    Args:
        coverage: of the graph.
        base: samples that are there.
        tried: others, of which those are taken that show something new before any is changed.
        ranges: of each input.
        plan: how long is searched.
    """
    search = _Search(coverage, plan, set(), {}, {})
    for sample in base:
        search.judge(sample)
    found = [sample for sample in tried if search.judge(sample)[1]]
    samples = [*base, *tried]
    idle = 0
    for number in range(plan.rounds):
        missing = search.missing()
        if not missing or idle >= plan.patience:
            break
        random = np.random.default_rng(np.random.SeedSequence([plan.seed, number, 11]))
        item = missing[number % len(missing)]
        progress = False
        for _ in range(plan.children):
            parent = search.nearest[item][1] if item in search.nearest else samples[int(random.integers(len(samples)))]
            other = samples[int(random.integers(len(samples)))]
            child = changed(random, parent, other, ranges)
            better, new = search.judge(child)
            progress |= better
            found += [child] if new else []
        idle = 0 if progress else idle + 1
    return found


def _asked_for(sample: Sample, judged: Judged) -> bool:
    """Whether NaN that a graph asks for is what makes a comparison within it no number, and nothing of it comes out."""
    outputs = (array for array in judged.outputs.values() if array.dtype.kind == "f")
    return any(not np.isfinite(array).all() for array in sample if array.dtype.kind == "f") and all(
        np.isfinite(array).all() for array in outputs
    )


@dataclass
class _Search:
    """What is seen, by item the sample that came nearest to it, and by output the least and the largest value of each element."""

    coverage: Coverage
    plan: Plan
    seen: set[str]
    nearest: dict[str, tuple[float, Sample]]
    spans: dict[str, tuple[Array, Array]]

    def missing(self) -> list[str]:
        """Items that no sample exercises yet, and outputs of which an element has one value only."""
        still = [name for name in self.spans if self._still(name)]
        return [*(item for item in self.coverage.items if item not in self.seen), *still]

    def judge(self, sample: Sample) -> tuple[bool, bool]:
        """Whether a sample comes nearer to anything that is missing, and whether it exercises something new."""
        rows = max(1, self.coverage.batch)
        call = sample if self.plan.whole else [np.repeat(array[None], rows, axis=0) for array in sample]
        try:
            judged = self.coverage.judged(call)
        except RuntimeError:
            return False, False  # it does not run on it
        if any(np.isnan(margin) for margin in judged.margins.values()):
            return False, _asked_for(sample, judged) and self._first(judged)
        new = self._first(judged)
        varied = [self._widened(name, array) for name, array in judged.outputs.items()]
        better = new
        for item, margin in judged.margins.items():
            if item not in self.seen and margin < self.nearest.get(item, (np.inf, sample))[0]:
                self.nearest[item] = (margin, sample)
                better = True
        return better or any(varied), new or any(varied)

    def _first(self, judged: Judged) -> bool:
        """Whether it exercises anything for the first time."""
        new = judged.exercised & set(self.coverage.items) - self.seen
        self.seen |= new
        return bool(new)

    def _widened(self, name: str, array: Array) -> bool:
        """Take an output's values; whether an element has another value for the first time."""
        row = array if self.plan.whole else array[:1]
        if array.dtype.kind not in "biuf" or not np.isfinite(row).all() or row.size > _LARGEST_OUTPUT:
            return False
        least, most = self.spans.get(name, (row, row))
        if least.shape != row.shape:
            return False
        before = self._still(name) if name in self.spans else row.size
        self.spans[name] = (np.minimum(least, row), np.maximum(most, row))
        return name in self.spans and self._still(name) < before and least is not row

    def _still(self, name: str) -> int:
        """How many elements of an output have had one value only, and may have another."""
        least, most = self.spans[name]
        fixed = np.asarray(self.coverage.constant[name])
        fits = fixed.size == 1 or fixed.size == least.shape[-1]
        return int(((least == most) & ~(fixed if fits else np.asarray([False]))).sum())
