"""The source of a run: opened, exported, and evaluated on the inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np

from safeconvert.adapter_api.protocol import WHOLE, ModelRequest
from safeconvert.compare.settings import VerifySettings
from safeconvert.config.options import DataOptions, ModelOptions
from safeconvert.conversion.models import Evaluated, Export, Wanted, export, model_request, open_given
from safeconvert.core.formats import ModelFile
from safeconvert.core.proof import READER
from safeconvert.core.signature import Signature, has_batch
from safeconvert.graph.ranges import IntegerRange
from safeconvert.inputs.store import Chunk
from safeconvert.verification import dataset
from safeconvert.verification.accepted_ranges import accepted_ranges
from safeconvert.verification.batching import Axis, Regrouped
from safeconvert.verification.counting import settle_inputs, unsettled
from safeconvert.verification.coverage import Coverage, measured
from safeconvert.verification.dataset import Dataset
from safeconvert.verification.early_reading import EarlyForm, begin_looking, begin_reading
from safeconvert.verification.mixing import mixing_layers
from safeconvert.verification.native_forms import NativeModel, read_beside
from safeconvert.verification.other_functions import not_compared
from safeconvert.verification.purity import impure
from safeconvert.verification.sealing import sealed_form
from safeconvert.verification.settling import Parts, Settling
from safeconvert.verification.source_check import SourceCheck, SourceForm, looks
from safeconvert.verification.source_inputs import Fed, Fedable, begin_running, feed_source
from safeconvert.verification.types import UNSEEN, Counted
from safeconvert.workers.run import Run
from safeconvert.workers.session import Session


@dataclass(frozen=True)
class Source:
    """The source model, evaluated: what every candidate is held against.

    Attributes:
        file: the model file.
        request: how it was opened.
        session: the opened model.
        data: the inputs.
        outputs: its native outputs.
        steering: numbers of the samples that may steer decisions.
        held_out: numbers of the samples that give the verdict.
        exporter: its ONNX form, and what became of that; looked at in the background.
        coverage: what the inputs exercise of it; measured in the background.
        settling: which inputs count, before and after those are left out on which the source is rounding alone.
        blind: by output that is not compared, why.
        joined: numbers of the samples made up beside given ones that give the verdict with them.
        axis: what axis 0 of the inputs is.
        regroup: a few samples in calls of other sizes; None where there is no batch.
        fed_otherwise: the inputs are those of a target that takes another preprocessing, and not what the source gave its outputs for.
        reference: an ONNX form that is the source, where `exported` is not and one was found.
        remarks: what a reader of any verdict on it has to know.
        ranges: of integer inputs that the user gave none for.
        counterexamples: inputs, numbered from 0, that a search found a target to differ on, and that its repair may use: no evidence.
        early: the graph of its file that a proof starts from, where that is looked at in the background.
    """

    file: ModelFile
    request: ModelRequest
    session: Session
    data: Dataset
    outputs: Evaluated
    steering: np.ndarray
    held_out: np.ndarray
    exporter: SourceCheck
    coverage: Future[Coverage]
    settling: Settling
    blind: Mapping[str, str] = field(default_factory=dict)
    joined: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    axis: Axis = Axis.NOT_SHOWN
    regroup: Regrouped | None = None
    fed_otherwise: bool = False
    reference: Export | None = None
    counterexamples: tuple[Chunk, ...] = ()
    remarks: tuple[str, ...] = ()
    early: EarlyForm | None = None
    ranges: Mapping[str, IntegerRange] = field(default_factory=dict)

    @property
    def exported(self) -> Export:
        """Its ONNX form, as it is by now."""
        return self.exporter.exported

    @property
    def counted(self) -> np.ndarray:
        """Numbers of the samples that give the verdict, given and made up."""
        return np.union1d(self.held_out, self.joined)

    @property
    def numbers(self) -> frozenset[int]:
        """Numbers of all samples that count or steer."""
        return frozenset(map(int, np.union1d(self.steering, self.counted)))

    @property
    def current(self) -> Source:
        """The source with the inputs that count by now: some are left out where something differed."""
        return self._with(self.settling.current)

    def settled(self) -> Source:
        """The source without inputs on which it is rounding alone. Raises NoVerdict where too few are left."""
        return self._with(self.settling.settle())

    def _with(self, parts: Parts) -> Source:
        counted, regroup = parts.counted, self.regroup and parts.regroup
        return replace(self, steering=parts.steering, held_out=counted.held_out, joined=counted.joined, regroup=regroup)


@dataclass(frozen=True)
class SourceOptions:
    """How a source is opened, exported, fed and compared.

    Attributes:
        model, data, verify: of the command.
        opset: ONNX opset requested of its exporter; 0 leaves it to the exporter.
        candidates: shapes to try after those of the data, where the source declares none.
        passing: of many inputs, only the first are run; the others are compared in passing.
        read: the graph that is read from the file is its ONNX form, as far as that does; nothing takes an exporter's for granted.
        proven: a proof is likely to be asked for, so that the graph of the file is read while other work goes on.
    """

    model: ModelOptions
    data: DataOptions
    verify: VerifySettings
    opset: int = 0
    candidates: Sequence[tuple[int, ...]] = ()
    passing: bool = False
    read: bool = False
    proven: bool = False


def evaluate_source(
    run: Run,
    file: ModelFile,
    options: SourceOptions,
    opened: Callable[[ModelRequest, Signature], None] = lambda request, signature: None,
    maker: str = "",
    target_name: str = "",
    formed: Callable[[Export], None] = lambda exported: None,
) -> Source:
    """Open the source, export it, prepare the inputs and run it natively; its ONNX form runs in the background.

    Where its ONNX form is read, or most likely made by who makes the first target, it is run on given inputs meanwhile.

    Args:
        run: the surroundings.
        file: the source.
        options: how it is opened, exported, fed and compared.
        opened: told as soon as the source is loaded, so that other work can begin.
        maker: adapter that alone makes the first target; where it is the exporter too, its ONNX form is most likely that target, and is not
            run before that is.
        target_name: of the file that the maker makes.
        formed: told as soon as its ONNX form is there.

    Raises:
        UnusableInput: the model or the inputs cannot be used.
        NoVerdict: it gives other outputs on the same inputs, or no finite ones.
    """
    data_options, settings = options.data, options.verify
    request, session = _opened(run, file, options)
    signature = session.signature
    opened(request, signature)
    wanted = Wanted("source", options.opset, maker, target_name)

    def by_exporter(role: str) -> Export:
        return sealed_form(run, export(run, role, file.format, request, signature, wanted))

    feeding = _begin_inputs(run, options, signature)
    begun = begin_running(run, session, feeding, settings) if feeding is not None and (maker or options.read) else None
    reading = _begin_reading(run, file, request, signature, options)
    exported = _read_form(run, file, request, signature, options) or by_exporter("convert" if begun else "source")
    formed(exported)
    session = _alive(run, file, request, session)  # an exporter may take the worker down with it, as a guess may
    inferred = dataset.graph_ranges(run, session.signature, exported)
    ranges = accepted_ranges(run, session, inferred, data_options.ranges, exported.path is not None)
    session = _alive(run, file, request, session)
    data = feeding() if feeding else dataset.prepare(run, data_options, signature, ranges, passing=options.passing)
    fed, settling, axis = _fed(run, Fedable(file, session, exported, begun), options, data, ranges)
    remarks = _remarks(run, file, request, session, axis)
    data, outputs, first = fed.data, fed.outputs, settling.first
    form = SourceForm(exported, lambda: by_exporter("convert"))
    exporter = SourceCheck(form, partial(looks, run, outputs, data.chunks, settings, settling), run.threads)
    if exported.adapter != maker or not maker:
        exporter.start()
    coverage = run.threads.submit(_coverage, run, exporter, signature, (data.chunks, outputs), fed.usable)
    model = NativeModel("source", file.path, file.format, data.chunks, outputs, (exported, UNSEEN))
    looked = begin_looking(run, model, first.counted, settings, reading) if reading else None
    return Source(
        file, request, session, data, outputs, first.steering, first.counted.held_out, exporter, coverage, settling,
        fed.blind, first.counted.joined, axis, first.regroup, remarks=remarks, early=looked, ranges=ranges,
    )  # fmt: skip


def _begin_reading(
    run: Run, file: ModelFile, request: ModelRequest, signature: Signature, options: SourceOptions
) -> Callable[[], Path] | None:
    """What a proof starts from, read in the background where it is not read for other things; None where it is not."""
    early = options.proven and not options.read and request.part == WHOLE
    return begin_reading(run, file, signature) if early else None


def _alive(run: Run, file: ModelFile, request: ModelRequest, session: Session) -> Session:
    """The opened source; opened once more where its worker died."""
    return session if session.alive else open_given(run, "source", file, request)


def _remarks(run: Run, file: ModelFile, request: ModelRequest, session: Session, axis: Axis) -> tuple[str, ...]:
    """What a reader of the verdict has to know of the source."""
    mixed = mixing_layers(run, file, request) if axis is Axis.MIXED else ()
    return (*mixed, *impure(session), *not_compared(session, "source"))


def _fed(
    run: Run,
    source: Fedable,
    options: SourceOptions,
    data: Dataset,
    ranges: Mapping[str, IntegerRange],
) -> tuple[Fed, Settling, Axis]:
    """The source run on its inputs, which of them count, and what axis 0 of them is; each input is a whole call where it mixes samples."""
    file, session = source.file, source.session
    fed = feed_source(run, source, data, ranges, options.verify)
    settling, axis = settle_inputs(run, file, session, (options.data, options.verify), fed)
    if axis is not Axis.MIXED:
        return fed, settling, axis
    whole = dataset.prepare(run, options.data, session.signature, ranges, True, options.passing)
    fed = feed_source(run, replace(source, begun=None), whole, ranges, options.verify)
    return fed, unsettled(run, file, options.data, fed), axis


def _begin_inputs(run: Run, options: SourceOptions, signature: Signature) -> Callable[[], Dataset] | None:
    """Begin to read given inputs, which wait for nothing that is read off the graph; what waits for them, or None where there are none."""
    if options.data.path is None:
        return None
    return run.threads.submit(dataset.prepare, run, options.data, signature, {}, passing=options.passing).result


def _read_form(
    run: Run, file: ModelFile, request: ModelRequest, given: Signature, options: SourceOptions
) -> Export | None:
    """The graph that is read from the file, where that is asked for and the file is taken whole; None otherwise."""
    wanted = options.read and request.part == WHOLE
    return read_beside(run, "source", (file.path, file.format), given.inputs, options.opset) if wanted else None


def _coverage(
    run: Run, exporter: SourceCheck, signature: Signature, ran: tuple[Sequence[Chunk], Evaluated], usable: np.ndarray
) -> Coverage:
    """What the inputs exercise, measured on an exporter's form, or on one that was read once that is known to be the source."""
    if exporter.exported.adapter == READER:
        exporter.result()
    return measured(run, exporter.exported, signature, *ran, usable)


def _opened(run: Run, file: ModelFile, options: SourceOptions) -> tuple[ModelRequest, Session]:
    """The source, opened; where its shapes have no batch and nobody declares them, with those of the given arrays as one call."""
    suggested = (*dataset.shapes_suggested(options.data), *options.candidates)
    request = model_request(file.path, options.model, suggested)
    request = replace(request, sample=dataset.sample_file(run, options.data))
    with run.phases.phase("loading the source"):
        session = open_given(run, "source", file, request)
        whole = () if has_batch(session.signature) else dataset.whole_shapes(options.data)
        if whole and whole[0] not in request.candidate_shapes[:1]:
            request = replace(request, candidate_shapes=(*whole, *request.candidate_shapes))
            session = open_given(run, "source", file, request)
    return request, session


def given_only(source: Source) -> Source:
    """The source without the inputs that were made up beside given ones."""
    given = source.data.given
    count = source.data.inputs.count
    whole = source.settling

    def within(parts: Parts) -> Parts:
        held_out = parts.counted.held_out
        counted = Counted(held_out[held_out < count], parts.counted.joined[:0])
        return Parts(parts.steering[parts.steering < count], counted, None)

    return replace(
        source,
        settling=Settling(within(whole.current), lambda: within(whole.settle())),
        data=replace(source.data, chunks=given, extra=()),
        outputs=replace(source.outputs, outputs=source.outputs.outputs[: len(given)]),
        steering=source.steering[source.steering < count],
        joined=source.joined[:0],
        regroup=None,
    )


def chunks_for(data: Dataset, feeds: list[dict[str, Path]]) -> tuple[Chunk, ...]:
    """The chunks of a run, as another model is fed them."""
    return tuple(replace(chunk, arrays=feed) for chunk, feed in zip(data.chunks, feeds, strict=True))
