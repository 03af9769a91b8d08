"""Both models' outputs on given inputs of some numbers: by how much a metric falls, and how far quantised outputs lie off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.compare.changed_labels import changed_labels
from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.drop import Drop, needed, paired_drop
from safeconvert.compare.exchange import comparable_outputs
from safeconvert.compare.fidelity import Fidelity, fidelity
from safeconvert.compare.metrics import AGREEMENT, class_scores, metric_for, scores
from safeconvert.compare.quantized import is_quantized
from safeconvert.compare.settings import METRICS, DropSettings, VerifySettings
from safeconvert.conversion.models import Evaluated
from safeconvert.inputs.store import Chunk
from safeconvert.verification.native import compare
from safeconvert.verification.source import Source
from safeconvert.verification.subset import Subset
from safeconvert.workers.session import load_files

Array = np.ndarray[Any, Any]
Compared = tuple[Array, dict[str, Array], dict[str, Array]]
"""Numbers of samples, and both models' outputs on them as real values in the source's order."""


def labels_of(source: Source) -> Array | None:
    """The labels of the given inputs, int (n,), -1 where one has none; None where none has, or where rows are joined to calls."""
    labels = source.data.inputs.labels
    if labels is None or len(labels) < source.data.inputs.count or all(label is None for label in labels):
        return None
    return np.asarray([-1 if label is None else label for label in labels], dtype=np.int64)


def drop_of(contract: Contract, source: Source, target: Evaluated, numbers: Array, settings: DropSettings) -> Drop:
    """The fall of the metric on given inputs of these numbers; of those with a label, where the metric is accuracy.

    Raises:
        UnusableInput: no such metric, or it cannot be computed.
    """
    chunks = source.data.given
    parts = compared(contract, chunks, source.outputs, target, numbers)
    return drop_between(parts, labels_of(source), settings)


def drop_between(parts: Iterator[Compared], labels: Array | None, settings: DropSettings) -> Drop:
    """The fall of a metric over parts of the inputs; see `drop_of`.

    Args:
        parts: numbers and outputs.
        labels: by number.
        settings: the metric, and how far it may fall.
    """
    name, before, after = _scored(parts, labels, settings)
    return paired_drop(name, before, after, settings.allowed, settings.confidence)


def _scored(parts: Iterator[Compared], labels: Array | None, settings: DropSettings) -> tuple[str, Array, Array]:
    """The metric's name, and both models' scores."""
    name = metric_for(settings.metric, labels is not None)
    found: list[tuple[Array, Array]] = []
    for numbers, ours, theirs in parts:
        rows = np.arange(len(numbers))
        if name == "accuracy" and labels is not None:
            rows = rows[labels[numbers] >= 0]
        if not len(rows):
            continue
        left, right = ({key: value[rows] for key, value in side.items()} for side in (ours, theirs))
        known = labels[numbers[rows]] if labels is not None else None
        found.append(scores(name, left, right, known, str(Path.cwd())))
    none = np.empty(0)
    before, after = (np.concatenate([none, *(pair[side] for pair in found)]) for side in (0, 1))
    return name, before, after


def steering_figures(
    contract: Contract, on: Subset, outputs: Evaluated, labels: Array | None, settings: VerifySettings
) -> Comparison:
    """Figures of a trial on steering inputs; see `steering_judged`."""
    return steering_judged(contract, on, outputs, labels, settings)[0]


def steering_judged(
    contract: Contract, on: Subset, outputs: Evaluated, labels: Array | None, settings: VerifySettings
) -> tuple[Comparison, Drop | None]:
    """Figures of a trial on steering inputs, and the fall of the metric where there is one.

    The trial is equal where the metric allows it, or the comparator where there is no metric. Where the inputs are too few to show that the metric holds, it may fall by half of what is allowed.

    Args:
        contract: of the source and the trial.
        on: the inputs, and the source's outputs.
        outputs: of the trial.
        labels: by number in `on`; None where there are none.
        settings: what counts as equal.
    """
    figures = compare(contract, on.expected, outputs, on.chunks, settings).result()
    if settings.drop is None:
        return figures, None
    numbers = np.arange(on.chunks[-1].stop)
    drop = drop_between(compared(contract, on.chunks, on.expected, outputs, numbers), labels, settings.drop)
    allowed = settings.drop.allowed
    enough = drop.samples >= needed(allowed, settings.drop.confidence)
    equal = drop.holds if enough else drop.samples > 0 and drop.fall <= allowed / 2
    return replace(figures, beyond_tolerance=0, equal=equal), drop  # distances do not count


def losses(contract: Contract, on: Subset, outputs: Evaluated, labels: Array | None, settings: VerifySettings) -> Array:
    """What a trial loses on steering inputs, a share for each, float64 (n,), whose mean is the estimate; () where no metric decides.

    Of a metric of labels these are the labels that change (`changed_labels`): no accuracy falls by more, and which of two models is right by luck does not hide
    them. Of any other it is the fall.

    Args:
        contract: of the source and the trial.
        on: the inputs, and the source's outputs.
        outputs: of the trial.
        labels: by number in `on`; None where there are none.
        settings: what counts as equal.
    """
    if settings.drop is None:
        return np.empty(0)
    numbers = np.arange(on.chunks[-1].stop)
    parts = list(compared(contract, on.chunks, on.expected, outputs, numbers))
    if metric_for(settings.drop.metric, labels is not None) in METRICS:
        both = [class_scores(ours, theirs) for _, ours, theirs in parts]
        known = [one for one in both if one is not None]
        if known and len(known) == len(both):
            return changed_labels(*(np.concatenate([one[side] for one in known]) for side in (0, 1)))
        _, before, after = _scored(iter(parts), None, replace(settings.drop, metric=AGREEMENT))
    else:
        _, before, after = _scored(iter(parts), labels, settings.drop)
    return before - after


def compared(
    contract: Contract, chunks: Sequence[Chunk], source: Evaluated, target: Evaluated, numbers: Array
) -> Iterator[Compared]:
    """Chunk by chunk, both models' outputs on the samples of these numbers; a whole call is one sample."""
    for chunk, ours, theirs in zip(chunks, source.outputs, target.outputs, strict=False):
        wanted = np.intersect1d(numbers, np.arange(chunk.start, chunk.stop))
        if not len(wanted):
            continue
        left, right = comparable_outputs(contract, load_files(ours), load_files(theirs))
        if chunk.whole:
            left, right = ({name: array[None] for name, array in side.items()} for side in (left, right))
        count, rows = (1 if chunk.whole else chunk.stop - chunk.start), wanted - chunk.start
        left, right = ({name: _rows(array, count, rows) for name, array in side.items()} for side in (left, right))
        yield wanted, left, right


def _rows(array: Array, count: int, rows: Array) -> Array:
    """Some samples of an output; one without a sample axis is every sample's."""
    return array[rows] if array.shape[:1] == (count,) else np.broadcast_to(array, (len(rows), *array.shape))


def fidelities(contract: Contract, source: Source, target: Evaluated, numbers: Array) -> tuple[Fidelity, ...]:
    """How far each real-valued output lies from the source's on the samples of these numbers."""
    parts = list(compared(contract, source.data.given, source.outputs, target, numbers))
    found = []
    for tensor in contract.outputs if parts else ():
        name = tensor.source.name
        spec = tensor.target if is_quantized(tensor.target) else tensor.source
        ours, theirs = (np.concatenate([part[side][name] for part in parts]) for side in (1, 2))
        scale = spec.quantization.scale if spec.quantization is not None and is_quantized(spec) else None
        found.append(fidelity(name, ours, theirs, scale))
    return tuple(one for one in found if one is not None)
