"""Whether a source's ONNX form is the source: looked at once, in the background.

A form that was read from the source's file is replaced by what an exporter makes once somebody needs that: where the form is not the source, where a
target differs, and where no proof comes of it. Where that form is the target byte by byte, what the target gave on the same inputs is what the form gives, and is taken from there;
never the other way round: a target is run for its verdict. Where nothing differs a form is run on the first inputs alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path

from safeconvert.certificate.digest import digest
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated, Export
from safeconvert.core.faults import ExporterVerdict
from safeconvert.core.proof import READER
from safeconvert.core.text import first_line
from safeconvert.errors import SafeconvertError
from safeconvert.inputs.store import Chunk
from safeconvert.verification.form_check import Form, against_export, against_first, judge_form
from safeconvert.verification.settling import Settling
from safeconvert.verification.types import ExporterCheck
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class KnownRun:
    """An ONNX file that was run.

    Attributes:
        sha256: of the file, which names no others.
        feeds: what it was fed, chunk by chunk.
        outputs: what it gave.
    """

    sha256: str
    feeds: Sequence[Mapping[str, Path]]
    outputs: Evaluated

    def is_of(self, exported: Export, feeds: Sequence[Mapping[str, Path]]) -> bool:
        """Whether it is a run of an ONNX form on these files; a form with other files beside it may be more than its own bytes."""
        path = exported.path
        if path is None or not exported.adapter or list(path.parent.iterdir()) != [path]:
            return False
        same = [dict(chunk) for chunk in self.feeds] == [dict(chunk) for chunk in feeds]
        return same and digest(path).sha256 == self.sha256


@dataclass(frozen=True)
class Looks:
    """Ways to look at an ONNX form.

    Attributes:
        first: on the first inputs, and on all where it differs there.
        all: on all inputs.
        known: on all, by a run that may be of the same file.
    """

    first: Callable[[], ExporterCheck]
    all: Callable[[], ExporterCheck]
    known: Callable[[KnownRun], ExporterCheck]


def looks(
    run: Run,
    native: Evaluated,
    chunks: Sequence[Chunk],
    settings: VerifySettings,
    settling: Settling,
    exported: Export,
) -> Looks:
    """Ways to look at a source's ONNX form. Where it differs, inputs on which the source is rounding alone are left out."""

    def on_all() -> ExporterCheck:
        return against_export(run, native, exported, chunks, settings, settling.settle().counted, "source")

    def settled(found: ExporterCheck) -> ExporterCheck:
        return on_all() if found.verdict is ExporterVerdict.DIFFERENT and settling.leaves_out() else found

    def first() -> ExporterCheck:
        return settled(against_first(run, native, exported, chunks, settings, settling.current.counted, "source"))

    def known(already: KnownRun) -> ExporterCheck:
        if not already.is_of(exported, [chunk.arrays for chunk in chunks]):
            return on_all()
        form = Form(exported.adapter, "source", already.outputs)
        try:
            return settled(judge_form(form, native, chunks, settings, settling.current.counted))
        except SafeconvertError as error:
            return ExporterCheck(exported.adapter, ExporterVerdict.FAILED, first_line(str(error)))

    return Looks(first, on_all, known)


class SourceForm:
    """A source's ONNX form: one that was read from its file, until an exporter's is needed. Safe to use from several threads."""

    def __init__(self, first: Export, export: Callable[[], Export]) -> None:
        """With the form at first, and what makes an exporter's, called once at most."""
        self._form = first
        self._export = export
        self._lock = threading.Lock()

    @property
    def current(self) -> Export:
        """The form as it is by now."""
        return self._form

    def exported(self) -> Export:
        """An exporter's form, which is the form from now on."""
        with self._lock:
            if self._form.adapter == READER:
                self._form = self._export()
            return self._form


class SourceCheck:
    """What became of a source's ONNX form, once somebody asks for it or it was begun."""

    def __init__(self, form: SourceForm, looks: Callable[[Export], Looks], threads: Executor) -> None:
        self._form = form
        self._looks = looks
        self._threads = threads
        self._begun: Future[ExporterCheck] | None = None
        self._of_all = False
        self._lock = threading.Lock()

    @property
    def exported(self) -> Export:
        """The form that is looked at."""
        return self._form.current

    def start(self) -> Future[ExporterCheck]:
        """Begin in the background, on the first inputs, unless it was begun."""
        with self._lock:
            if self._begun is None:
                self._begun = self._threads.submit(self._first)
            return self._begun

    def with_exporter(self) -> None:
        """An exporter's form takes the place of one that was read, and is looked at in the background."""
        if self.exported.adapter != READER:
            return
        with self._lock:
            if not self._of_all:
                self._begun = self._threads.submit(lambda: self._looks(self._form.exported()).first())
        self._form.exported()

    def _first(self) -> ExporterCheck:
        found = self._looks(self.exported).first()
        if found.verdict is ExporterVerdict.EQUAL or self.exported.adapter != READER:
            return found
        return self._looks(self._form.exported()).first()

    def offer(self, known: KnownRun) -> None:
        """A run that may be of the same file; taken where nothing was begun."""
        with self._lock:
            if self._begun is None:
                self._begun, self._of_all = self._threads.submit(self._looks(self.exported).known, known), True

    def on_all(self) -> None:
        """Look at all inputs, in the background: where a target differs, the form is what its faults are found on."""
        with self._lock:
            if not self._of_all:
                self._begun = self._threads.submit(lambda: self._looks(self._form.exported()).all())
                self._of_all = True

    def result(self) -> ExporterCheck:
        """The check, waited for."""
        return self.start().result()


class FinishedCheck(SourceCheck):
    """A check that was made before."""

    def __init__(self, check: ExporterCheck, exported: Export) -> None:
        self._check = check
        self._exported = exported

    @property
    def exported(self) -> Export:
        """The form that was looked at."""
        return self._exported

    def start(self) -> Future[ExporterCheck]:
        """Nothing is begun."""
        future: Future[ExporterCheck] = Future()
        future.set_result(self._check)
        return future

    def offer(self, known: KnownRun) -> None:
        """It is known already."""

    def on_all(self) -> None:
        """It is known already."""

    def with_exporter(self) -> None:
        """It was made of what an exporter made."""
