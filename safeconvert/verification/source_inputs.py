"""The source's inputs, with the source's own outputs on them: given or generated, joined by made-up ones, within its domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated, Export, evaluate
from safeconvert.core.formats import ModelFile
from safeconvert.errors import AdapterFailure, NoVerdict, UnusableInput
from safeconvert.graph.ranges import IntegerRange
from safeconvert.inputs.generate import GeneratedInputs
from safeconvert.verification.blind_outputs import blind_outputs
from safeconvert.verification.coverage import reaching
from safeconvert.verification.dataset import Dataset
from safeconvert.verification.extra_inputs import NONE, ExtraInputs, appended, extra_inputs, run_extra, wanted
from safeconvert.verification.native import compare, unchanged_contract
from safeconvert.verification.stability import stable_samples, unless_most
from safeconvert.verification.usable_samples import declared_samples, finite_samples
from safeconvert.workers.run import Run
from safeconvert.workers.session import Session

_REPEATED = 8
"""Samples that are run twice at least, where a chunk has as many."""


@dataclass(frozen=True)
class Fed:
    """The source's outputs on a set of inputs.

    Attributes:
        data: the inputs, made-up ones at the end.
        outputs: of the source on all of them.
        usable: numbers of the distinct ones on which it is finite.
        stable: looks which of the usable ones are not rounding alone; a user's own always are.
        blind: outputs that are not compared, and why.
        extra: which are made up beside given ones, or to exercise more.
    """

    data: Dataset
    outputs: Evaluated
    usable: np.ndarray
    stable: Callable[[], np.ndarray]
    blind: Mapping[str, str]
    extra: ExtraInputs


@dataclass(frozen=True)
class Begun:
    """A source that runs on its given inputs while its ONNX form is made.

    Attributes:
        session: the source.
        outputs: what it gives.
    """

    session: Session
    outputs: Future[Evaluated]


@dataclass(frozen=True)
class Fedable:
    """A source that is to be run.

    Attributes:
        file: the source.
        session: it, opened.
        exported: its ONNX form, on which is measured what inputs exercise.
        begun: its run on the given inputs, where that began before.
    """

    file: ModelFile
    session: Session
    exported: Export
    begun: Begun | None = None

    def outputs(self, run: Run, data: Dataset, settings: VerifySettings) -> Evaluated:
        """What it gives on all inputs. Raises as `feed_source`."""
        if self.begun is not None and self.begun.session is self.session:
            return self.begun.outputs.result()
        return _run(run, self.session, data, settings)


def begin_running(run: Run, session: Session, data: Callable[[], Dataset], settings: VerifySettings) -> Begun:
    """Begin to run a source on given inputs, which are waited for: nothing of that waits for its ONNX form."""
    return Begun(session, run.threads.submit(lambda: _run(run, session, data(), settings)))


def feed_source(
    run: Run, source: Fedable, data: Dataset, ranges: Mapping[str, IntegerRange], settings: VerifySettings
) -> Fed:
    """Run the source on its inputs, and on more that are made up.

    Made-up inputs on which it does not run, is not finite or gives other sizes than it declares are left out, and later those on which it is rounding alone; a user's never are.

    Args:
        run, settings: the surroundings, and how outputs are compared.
        source: what is run.
        data: the inputs.
        ranges: of integer inputs.

    Raises:
        UnusableInput: it does not run on the inputs.
        NoVerdict: it gives other outputs on the same inputs, or none that can be compared.
    """
    file, session = source.file, source.session
    outputs = source.outputs(run, data, settings)
    usable = data.distinct
    if data.generated:
        usable = np.intersect1d(usable, _usable(file, outputs, data))
    given = partial(_stable, run, session, data, outputs, usable, settings)
    extra = _extra(run, session, source.exported, data, ranges, settings)
    more = run_extra(run, session, extra)
    if more is None:
        return Fed(data, outputs, usable, given, blind_outputs(file.named, outputs, settings), NONE)
    kept = finite_samples(more, extra.chunks)
    kept = np.intersect1d(kept, declared_samples(more, extra.chunks, outputs.outputs))
    beside = partial(stable_samples, run, session, (extra.chunks, more), data.seed, kept, settings)
    outputs = replace(outputs, outputs=(*outputs.outputs, *more.outputs))
    data = replace(data, chunks=(*data.chunks, *extra.chunks), extra=extra.origins)
    blind = blind_outputs(file.named, outputs, settings)
    usable = np.concatenate([usable, kept])
    return Fed(data, outputs, usable, lambda: np.concatenate([given(), beside()]), blind, extra)


def _stable(
    run: Run, session: Session, data: Dataset, outputs: Evaluated, usable: np.ndarray, settings: VerifySettings
) -> np.ndarray:
    if not data.generated:
        return usable
    return unless_most(stable_samples(run, session, (data.chunks, outputs), data.seed, usable, settings), usable)


def _extra(
    run: Run,
    session: Session,
    exported: Export,
    data: Dataset,
    ranges: Mapping[str, IntegerRange],
    settings: VerifySettings,
) -> ExtraInputs:
    """Inputs made up beside given ones, and those that exercise what the others leave out, unless a number was asked for."""
    if isinstance(data.inputs, GeneratedInputs):
        if data.limited:
            return NONE
        extra = replace(NONE, like=data.inputs)
    elif wanted(data, settings):
        extra = extra_inputs(run, data, session.signature, ranges)
    else:
        return NONE
    if extra.like is None:
        return extra
    try:
        found = reaching(run, exported, session.signature, extra.like, (*data.chunks, *extra.chunks))
    except (AdapterFailure, UnusableInput):
        return extra
    return appended(run, data, extra, "coverage", found)


def _run(run: Run, session: Session, data: Dataset, settings: VerifySettings) -> Evaluated:
    """Outputs on all inputs; the smallest chunk is run twice to see that the model is a function."""
    feeds = [dict(chunk.arrays) for chunk in data.chunks]
    path = run.pool.given(session.path)
    try:
        outputs = evaluate(run, session, feeds, "running the source")
        repeat = _smallest(data)
        again = session.run([feeds[repeat]], run.scratch)
    except AdapterFailure as failure:
        if failure.died:
            raise NoVerdict(f"{path}: {failure.adapter} cannot run it: {failure.cause}", "", failure.log) from failure
        raise UnusableInput(
            f"{path}: does not run on the inputs: {failure.cause}",
            "check the inputs' shapes and types, and --input-shape",
            failure.log,
        ) from failure
    first = Evaluated(outputs.signature, (outputs.outputs[repeat],))
    repeated = Evaluated(outputs.signature, tuple(again))
    contract = unchanged_contract(session.signature, session.signature)
    plain = replace(settings, comparator=None)  # whether it is a function is no matter of the user's comparator
    figures = compare(contract, first, repeated, [data.chunks[repeat]], plain)
    comparison = figures.result()
    if comparison.disagreements > comparison.nonfinite or comparison.beyond_tolerance > comparison.nonfinite:
        raise NoVerdict(
            f"{path}: gives other outputs on the same inputs (max-abs {comparison.max_abs:.3g}): not a function",
            "switch off dropout and random operators (model.eval()) and save it again",
        )
    return outputs


def _smallest(data: Dataset) -> int:
    """Index of the smallest chunk of a few samples at least; the same call again, so that no rounding differs."""
    sizes = [chunk.stop - chunk.start for chunk in data.chunks]
    enough = [index for index, size in enumerate(sizes) if size >= min(_REPEATED, max(sizes))]
    return min(enough, key=lambda index: sizes[index])


def _usable(file: ModelFile, outputs: Evaluated, data: Dataset) -> np.ndarray:
    """All samples of a user; of generated ones, those on which the source is finite (the others lie outside its domain)."""
    if not data.generated:
        return np.arange(data.inputs.count)
    usable = finite_samples(outputs, data.chunks)
    if not len(usable):
        raise NoVerdict(f"{file.named}: gives NaN or Inf on every generated input", "give real ones with --inputs")
    return usable
