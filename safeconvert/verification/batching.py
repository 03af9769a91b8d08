"""Is axis 0 a batch? Shown, not assumed: a few samples in another order, and in calls of other sizes, give what they gave.

A source that mixes its samples has no batch, and is fed whole calls; a target that mixes them although the source does not is
another function.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.adapter_api.feeding import fixed_batch
from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated, evaluate
from safeconvert.core.signature import Signature
from safeconvert.inputs.store import Chunk, saved
from safeconvert.verification.native import compare, feed_across, unchanged_contract
from safeconvert.workers.run import Run
from safeconvert.workers.session import Session, load_files

Array = np.ndarray[Any, Any]
_SIZES = (1, 2, 4)
_FEW = 0.25  # share of samples on which integers may differ by rounding in front of them


class Axis(StrEnum):
    """What axis 0 of the inputs is; the text stands in the certificate."""

    BATCH = "batch: outputs of a call are the outputs of its rows, in any order and number"
    ONE = "batch of one: each input is a call of its own"
    WHOLE = "no batch: each input is a whole call, as the declared shapes say"
    MIXED = "no batch: outputs of a call are not those of its rows, so that each input is a whole call"
    NOT_SHOWN = "batch, as the declared shapes say: fewer than two distinct inputs show nothing"


@dataclass(frozen=True)
class Regrouped:
    """A few samples in another order, in calls of 1, 2 and 4, and what a model gave for them before.

    Attributes:
        chunks: the calls, as the source is fed.
        expected: of each call, put together from what the model gave in other calls.
        numbers: of each call, the samples.
    """

    chunks: tuple[Chunk, ...]
    expected: Evaluated
    numbers: tuple[Array, ...]


def regrouped(run: Run, chunks: Sequence[Chunk], outputs: Evaluated, usable: Array, seed: int) -> Regrouped | None:
    """Up to seven of the usable samples; None where there are fewer than two.

    Args:
        run: the surroundings.
        chunks: rows of a batch.
        outputs: of the source on these.
        usable: numbers of samples to choose from.
        seed: of the order.
    """
    chosen = (
        usable[np.linspace(0, len(usable) - 1, min(len(usable), sum(_SIZES))).astype(int)] if len(usable) else usable
    )
    if len(chosen) < 2:
        return None
    order = np.random.default_rng(seed).permutation(chosen)
    while (np.diff(order) > 0).all():
        order = order[::-1]
    folder = run.folder("regrouped")
    starts = np.cumsum((0, *_SIZES[:-1]))
    calls = tuple(order[start : start + size] for start, size in zip(starts, _SIZES, strict=True) if start < len(order))
    fed = []
    for start, numbers in zip(starts, calls, strict=False):
        files = saved(folder, f"in-{start}", _rows(chunks, outputs, numbers)[0])
        fed.append(Chunk(int(start), int(start) + len(numbers), files))
    return Regrouped(tuple(fed), _expected(run, chunks, outputs, calls), calls)


def regrouped_target(run: Run, regroup: Regrouped, chunks: Sequence[Chunk], outputs: Evaluated) -> Regrouped:
    """The same calls with what a target gave for their samples before: whether it mixes them is no matter of the source."""
    return replace(regroup, expected=_expected(run, chunks, outputs, regroup.numbers))


def _expected(run: Run, chunks: Sequence[Chunk], outputs: Evaluated, calls: Sequence[Array]) -> Evaluated:
    folder = run.folder("expected")
    given = [saved(folder, f"out-{index}", _rows(chunks, outputs, numbers)[1]) for index, numbers in enumerate(calls)]
    return Evaluated(outputs.signature, tuple(given))


def axis_of(run: Run, session: Session, regroup: Regrouped | None, settings: VerifySettings, whole: bool) -> Axis:
    """What axis 0 of a source's inputs is. Raises AdapterFailure where it dies of other sizes."""
    if whole:
        return Axis.WHOLE
    if fixed_batch(session.signature) == 1:
        return Axis.ONE
    if regroup is None:
        return Axis.NOT_SHOWN
    contract = unchanged_contract(session.signature, session.signature)
    return Axis.MIXED if mixes(run, session, regroup, contract, settings) else Axis.BATCH


def mixes(run: Run, session: Session, regroup: Regrouped, contract: Contract, settings: VerifySettings) -> bool:
    """Whether a model gives other outputs where samples come in another order or number.

    Rounding may differ with the size of a call; what is beyond `[verify] rounding` of the scale is more than that.

    Args:
        run: the surroundings.
        session: the model.
        regroup: samples, and what this model gave for them in other calls.
        contract: of the source, as which the calls are said, and this model.
        settings: how outputs are compared.
    """
    feeds = feed_across(contract, regroup.chunks, run.folder("feed"))
    outputs = evaluate(run, session, feeds, "running calls of other sizes")
    plain = VerifySettings(tolerance=settings.tolerance, tolerances=settings.tolerances)
    itself = unchanged_contract(session.signature, session.signature)
    figures = compare(itself, regroup.expected, outputs, regroup.chunks, plain).result()
    return beyond_rounding(figures, run.settings.verify.rounding)


def has_rows(signature: Signature) -> bool:
    """Whether a model may be fed several samples in one call."""
    return fixed_batch(signature) != 1


def beyond_rounding(figures: Comparison, limit: float) -> bool:
    """Whether something is beyond the tolerance, and further than rounding; what is within it may be far of a tiny value."""
    if figures.equal:
        return False
    for output in figures.outputs:
        if output.reason:
            return True
        if output.comparator == "exact":
            if output.disagreements > _FEW * figures.samples:
                return True
        elif (output.disagreements and not output.relative <= limit) or (
            np.isfinite(output.relative) and output.relative > limit
        ):
            return True
    return False


def _rows(chunks: Sequence[Chunk], outputs: Evaluated, numbers: Array) -> tuple[dict[str, Array], dict[str, Array]]:
    """The inputs of these samples, and the source's outputs; an output without a sample axis is kept as it is."""
    fed: dict[str, list[Array]] = {}
    given: dict[str, list[Array]] = {}
    apart: dict[str, Array] = {}
    for number in numbers:
        index = next(n for n, chunk in enumerate(chunks) if chunk.start <= number < chunk.stop)
        row, count = int(number) - chunks[index].start, chunks[index].stop - chunks[index].start
        for name, array in _mapped(chunks[index].arrays).items():
            fed.setdefault(name, []).append(array[row])
        for name, array in load_files(outputs.outputs[index]).items():
            if array.shape[:1] == (count,):
                given.setdefault(name, []).append(array[row])
            else:
                apart.setdefault(name, array)
    arrays = {name: np.stack(rows) for name, rows in fed.items()}
    return arrays, {name: np.stack(rows) for name, rows in given.items() if name not in apart} | apart


def _mapped(files: Mapping[str, Path]) -> dict[str, Array]:
    return {name: np.load(path, mmap_mode="r", allow_pickle=False) for name, path in files.items()}
