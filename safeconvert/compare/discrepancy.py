"""On how many inputs do two models disagree, and how far are they apart? Accumulated chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from safeconvert.compare.bounds import clopper_pearson_upper
from safeconvert.compare.comparators import Comparator, compare, kind_for
from safeconvert.compare.comparison import Comparison, OutputComparison
from safeconvert.compare.custom import resolve
from safeconvert.compare.layout import LayoutMismatch
from safeconvert.compare.output_pair import Array, Pair, pair_up
from safeconvert.compare.settings import VerifySettings
from safeconvert.compare.tally import LISTED, Moments
from safeconvert.errors import UnusableInput


@dataclass(frozen=True)
class Figures:
    """Per sample of one output, (n,) each; distances are NaN where it is not comparable, inf where shapes differ."""

    agree: Array
    tie: Array
    within: Array
    finite: Array
    comparable: Array
    max_abs: Array
    mean_abs: Array
    relative: Array

    def at(self, rows: Array) -> Figures:
        return Figures(*(column[rows] for column in vars(self).values()))


class Accumulator:
    """Figures of every sample that both models were run on.

    Only a few numbers a sample are kept, never the outputs, so that the verdict can be given for any subset.

    Args:
        settings: how outputs are compared.
        search_path: folder in which a user's comparator is looked for first.
        limits: by output with values of very different size, the scale of each value's group (see `groups`).
    """

    def __init__(
        self, settings: VerifySettings, search_path: str = "", limits: Mapping[str, Array] | None = None
    ) -> None:
        """Start with no samples."""
        self._limits = limits or {}
        self._settings = settings
        self._search_path = search_path
        self._comparators: dict[str, tuple[str, Comparator]] = {}
        self._indices: list[Array] = []
        self._figures: dict[str, list[Figures]] = {}
        self._reasons: dict[str, str] = {}

    def fresh(self) -> Accumulator:
        """Another one without samples, that compares as this one does."""
        return Accumulator(self._settings, self._search_path, self._limits)

    def add(self, source: Mapping[str, Array], target: Mapping[str, Array], indices: Array) -> None:
        """Compare one chunk.

        Args:
            source: outputs by name, samples along axis 0. An output without a sample axis (of the same shape whatever
                the number of samples) counts for each sample.
            target: the same outputs of the target, by the source's names, in the source's order of dimensions.
            indices: each sample's number in the whole input set, int (n,).

        Raises:
            LayoutMismatch: the two sides do not have the same outputs.
            UnusableInput: an output that cannot be compared as requested.
        """
        if source.keys() != target.keys():
            raise LayoutMismatch(f"the source gave outputs {', '.join(source)} and the target {', '.join(target)}")
        if not self._comparators:
            self._choose(source)
        elif source.keys() != self._comparators.keys():
            raise LayoutMismatch(f"outputs were {', '.join(self._comparators)} and are now {', '.join(source)}")
        figures = {name: self._compare(name, source[name], target[name], len(indices)) for name in source}
        for name, chunk in figures.items():
            self._figures.setdefault(name, []).append(chunk)
        self._indices.append(np.asarray(indices, dtype=np.int64))

    def result(self, indices: Array | None = None) -> Comparison:
        """The figures of all samples, or of a subset.

        Args:
            indices: numbers of the samples that count, each at most once; None = all.

        Raises:
            ValueError: a sample that was added twice, requested twice, or never compared. A verdict on other samples
                than those meant would be no verdict.
        """
        known = np.concatenate([np.empty(0, dtype=np.int64), *self._indices])
        wanted = known if indices is None else np.asarray(indices, dtype=np.int64)
        if len(np.unique(known)) != len(known) or len(np.unique(wanted)) != len(wanted):
            raise ValueError("a sample counts twice")
        if not np.isin(wanted, known).all():
            raise ValueError(f"never compared: samples {np.setdiff1d(wanted, known)[:10].tolist()}")
        # in the order of the sample numbers, so that sums do not depend on the chunks
        order = np.argsort(known)
        rows = order[np.isin(known[order], wanted)]
        chosen = {name: _join(chunks).at(rows) for name, chunks in self._figures.items()}
        return self._summary(chosen, known[rows])

    def each(self) -> dict[str, Figures]:
        """By output, what was found of each sample, in the order in which they were added."""
        return {name: _join(chunks) for name, chunks in self._figures.items()}

    def moments(self, rows: Array) -> tuple[Moments, ...]:
        """The distances of each output over the samples that were added at these positions."""
        return tuple(
            _moments(name, self._comparators[name][0], figures.at(rows)) for name, figures in self.each().items()
        )

    def unequal(self) -> Array:
        """Numbers of the samples on which an output disagrees or is beyond tolerance, ascending."""
        failing = np.concatenate([np.empty(0, dtype=np.int64), *self._indices])
        kept = [~(joined.agree & joined.within) for joined in map(_join, self._figures.values())]
        found: Array = np.sort(failing[np.any([np.zeros(len(failing), dtype=bool), *kept], axis=0)])
        return found

    def _choose(self, source: Mapping[str, Array]) -> None:
        kinds = {name: kind_for(name, array, self._settings) for name, array in source.items()}
        requested = self._settings.comparator
        if requested is not None and requested not in kinds.values():
            shapes = ", ".join(f"{name} {array.dtype} {list(array.shape)}" for name, array in source.items())
            raise UnusableInput(
                f"comparator {requested} applies to none of the outputs ({shapes})",
                "leave --comparator out, or give one that does (integers need a tolerance of their own for allclose)",
            )
        self._comparators = {name: (kind, resolve(kind, self._search_path)) for name, kind in kinds.items()}

    def _compare(self, name: str, source: Array, target: Array, count: int) -> Figures:
        no, yes = np.zeros(count, dtype=bool), np.ones(count, dtype=bool)
        if source.shape != target.shape:
            self._reasons[name] = f"source shape {list(source.shape)}, target shape {list(target.shape)}"
            far = np.full(count, np.inf)
            return Figures(no, no, no, yes, yes, far, far, far)
        if source.shape[:1] != (count,):
            source, target = (np.broadcast_to(side, (count, *side.shape)) for side in (source, target))
        pair = self._paired(name, source, target)
        agree, tie, within = compare(self._comparators[name][1], pair, self._settings)
        max_abs, relative, distances = pair.max_abs(), pair.relative(), pair.distances
        with np.errstate(over="ignore"):
            mean_abs = distances.mean(axis=1) if distances.shape[1] else np.zeros(count)
        shown = (np.where(pair.comparable, figure, np.nan) for figure in (max_abs, mean_abs, relative))
        return Figures(agree, tie, within, pair.finite, pair.comparable, *shown)

    def _paired(self, name: str, source: Array, target: Array) -> Pair:
        pair = pair_up(name, source, target, self._settings.nonfinite)
        limits = self._limits.get(name)
        fits = limits is not None and len(limits) == pair.source_values.shape[1]
        return replace(pair, limits=limits) if fits else pair

    def closeness(self, source: Mapping[str, Array], target: Mapping[str, Array], count: int) -> Array:
        """How near each sample is to being refused: its largest distance as a share of what is allowed, (n,).

        0 where it is equal, or an output is no real number; inf where a side is not finite or has another shape. Nothing is accumulated.

        Args:
            source, target: as for `add`.
            count: number of samples.
        """
        nearest = np.zeros(count)
        for name, ours in source.items():
            theirs = target[name]
            if ours.shape != theirs.shape:
                return np.full(count, np.inf)
            if ours.shape[:1] != (count,) or ours.dtype.kind != "f":
                continue
            pair = self._paired(name, ours, theirs)
            own = np.where(pair.comparable, pair.share(self._settings.tolerance_for(name)), np.inf)
            nearest = np.maximum(nearest, own)
        return nearest

    def _summary(self, outputs: Mapping[str, Figures], indices: Array) -> Comparison:
        count = len(indices)

        def any_output(columns: list[Array]) -> Array:
            found: Array = np.any([np.zeros(count, dtype=bool), *columns], axis=0)
            return found

        disagree = any_output([~figures.agree for figures in outputs.values()])
        beyond = any_output([~figures.within for figures in outputs.values()])
        tie = any_output([figures.tie for figures in outputs.values()]) & ~disagree
        each = tuple(
            OutputComparison(
                name=name,
                comparator=self._comparators[name][0],
                disagreements=int((~figures.agree).sum()),
                max_abs=_over(figures.max_abs, np.max),
                mean_abs=_over(figures.mean_abs, np.mean),
                relative=_over(figures.relative, np.max),
                reason=self._reasons.get(name, ""),
            )
            for name, figures in outputs.items()
        )
        disagreements = int(disagree.sum())
        failing = int((disagree | beyond).sum())
        return Comparison(
            samples=count,
            disagreements=disagreements,
            discrepancy=disagreements / count if count else float("nan"),
            upper_bound=clopper_pearson_upper(disagreements, count),
            ties=int(tie.sum()),
            nonfinite=int((unlike := any_output([~figures.comparable for figures in outputs.values()])).sum()),
            propagated=int((any_output([~figures.finite for figures in outputs.values()]) & ~unlike).sum()),
            beyond_tolerance=int(beyond.sum()),
            max_abs=_over(np.array([output.max_abs for output in each]), np.max),
            mean_abs=_over(np.array([output.mean_abs for output in each]), np.mean),
            relative=_over(np.array([output.relative for output in each]), np.max),
            equal=bool(count and outputs and failing / count <= self._settings.max_discrepancy),
            outputs=each,
            disagreeing=tuple(indices[disagree][:LISTED].tolist()),
        )


def _join(chunks: list[Figures]) -> Figures:
    columns = zip(*(vars(chunk).values() for chunk in chunks), strict=True)
    return Figures(*(np.concatenate(column) for column in columns))


def _moments(name: str, comparator: str, figures: Figures) -> Moments:
    known = figures.mean_abs[~np.isnan(figures.mean_abs)]
    finite = known[np.isfinite(known)]
    total = float(finite.sum()) if len(finite) else 0.0
    infinite = len(known) - len(finite)
    if not np.isfinite(total):
        infinite, total, finite = len(known), 0.0, finite[:0]
    largest = (_over(figures.max_abs, np.max), _over(figures.relative, np.max))
    return Moments(name, comparator, len(finite), infinite, Fraction(total), *largest)


def _over(values: Array, reduce: Callable[[Array], np.floating]) -> float:
    known = values[~np.isnan(values)]
    return float(reduce(known)) if len(known) else float("nan")
