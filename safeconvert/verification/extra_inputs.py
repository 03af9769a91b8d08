"""Made-up inputs beside given ones: generated as large as these, and given ones changed.

Given inputs show what the model is used for, and little of what it computes: images of one label saturate a softmax, ids of short
texts touch few rows of a table. What is made up counts apart and never for the bound that the given ones give.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated, evaluate
from safeconvert.core.signature import Signature
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.graph.ranges import IntegerRange
from safeconvert.inputs.generate import GeneratedInputs, generate
from safeconvert.inputs.interface import InputSet
from safeconvert.inputs.perturb import PerturbedInputs
from safeconvert.inputs.split import Split, split
from safeconvert.inputs.statistics import looks, seen_ranges
from safeconvert.inputs.store import Chunk, materialise
from safeconvert.verification.dataset import Dataset
from safeconvert.workers.run import Run
from safeconvert.workers.session import Session

_LARGE = 50_000  # values of a sample past which fewer are made
_OF_LARGE = 0.375
_LOOKED_AT = 64  # given samples of which mean and deviation are taken
_JOINED = (None, "label", "allclose", "exact")


@dataclass(frozen=True)
class ExtraInputs:
    """Made-up samples, numbered from where the given ones end.

    Attributes:
        chunks: the samples as files.
        origins: of each sample, `generated`, `perturbed` or (made to exercise what others do not) `coverage`.
        split: numbers of those that may steer decisions, and of those that only the verdict sees.
        like: how samples are generated for this source; None where they are not.
    """

    chunks: tuple[Chunk, ...]
    origins: tuple[str, ...]
    split: Split
    like: GeneratedInputs | None = None


NONE = ExtraInputs((), (), Split((), ()))
"""No made-up samples."""


def wanted(data: Dataset, settings: VerifySettings) -> bool:
    """Whether given inputs are joined by made-up ones.

    They are not where the user compares by something that only means anything on real inputs: labels that may differ, or a function
    of the user's own.
    """
    return not data.generated and comparable_on_made_up(settings)


def comparable_on_made_up(settings: VerifySettings) -> bool:
    """Whether what counts as equal means something on inputs that nobody would give."""
    if settings.given_only or settings.drop is not None:
        return False
    return settings.comparator in _JOINED and settings.max_discrepancy == 0


def extra_inputs(run: Run, data: Dataset, signature: Signature, ranges: Mapping[str, IntegerRange]) -> ExtraInputs:
    """Half generated and half perturbed samples beside given ones; none where the configuration says 0.

    Args:
        run: the surroundings.
        data: the given inputs.
        signature: of the source.
        ranges: of integer inputs, as the source's graph tells; where it does not, those that the given samples span.
    """
    count = run.settings.inputs.joined
    first = {name: np.load(path, mmap_mode="r", allow_pickle=False) for name, path in data.chunks[0].arrays.items()}
    rows = 1 if data.inputs.whole else data.chunks[0].stop
    if max((array.size // max(1, rows) for array in first.values()), default=0) > _LARGE:
        count = round(count * _OF_LARGE)
    if not count:
        return NONE
    sample = [chunk for chunk in data.chunks if chunk.start < _LOOKED_AT]
    like = looks(sample)
    specs = tuple(replace(spec, shape=_shape(first[spec.name], data.inputs.whole)) for spec in signature.inputs)
    fitting = replace(signature, inputs=specs)
    integers = {spec.name for spec in specs if spec.dtype.startswith(("int", "uint"))}
    taken = {name: one for name, one in seen_ranges(like).items() if name in integers} | dict(ranges)
    try:
        made = generate(fitting, count - count // 2, data.seed, {}, taken, data.inputs.whole)
    except UnusableInput:
        return NONE  # a type that can be given and not be made up
    generated = replace(made, looks={name: one for name, one in like.items() if name not in taken})
    perturbed = PerturbedInputs(data.inputs, count // 2, data.seed, like)
    return _written(run, data, [("generated", generated), ("perturbed", perturbed)], generated)


def run_extra(run: Run, session: Session, extra: ExtraInputs) -> Evaluated | None:
    """The source's outputs on made-up samples; None where there are none, or it does not run on them."""
    if not extra.chunks:
        return None
    feeds = [dict(chunk.arrays) for chunk in extra.chunks]
    try:
        if not session.accepts(feeds[:1], run.scratch):
            return None
        return evaluate(run, session, feeds, "running the source on made-up inputs")
    except AdapterFailure:
        return None


def _shape(array: np.ndarray, whole: bool) -> tuple[int | None, ...]:
    """The shape of an input as it was given; the batch is free unless calls are whole."""
    return tuple(array.shape) if whole else (None, *array.shape[1:])


def _written(run: Run, data: Dataset, parts: list[tuple[str, InputSet]], like: GeneratedInputs) -> ExtraInputs:
    extra = ExtraInputs((), (), Split((), ()), like)
    for origin, inputs in parts:
        if inputs.count:
            made = materialise(inputs, run.kept(origin), run.settings.inputs.chunk, lambda count: None)
            extra = appended(run, data, extra, origin, made)
    return extra


def appended(run: Run, data: Dataset, extra: ExtraInputs, origin: str, chunks: Sequence[Chunk]) -> ExtraInputs:
    """Made-up samples with more of them (numbered from 0) at the end, split anew."""
    start = data.inputs.count + len(extra.origins)
    moved = tuple(replace(chunk, start=chunk.start + start, stop=chunk.stop + start) for chunk in chunks)
    origins = (*extra.origins, *(origin for chunk in chunks for _ in range(chunk.start, chunk.stop)))
    if not origins:
        return extra
    parted, after = split(len(origins), run.settings.inputs.held_out, data.seed), data.inputs.count
    parts = Split(tuple(after + n for n in parted.steer), tuple(after + n for n in parted.held_out))
    return ExtraInputs((*extra.chunks, *moved), origins, parts, extra.like)
