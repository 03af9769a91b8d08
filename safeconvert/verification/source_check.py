"""Whether a source's ONNX form is the source: looked at once, in the background.

Where that form is the target byte by byte, what the target gave on the same inputs is what the form gives, and is taken from there;
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
from safeconvert.core.text import first_line
from safeconvert.errors import SafeconvertError
from safeconvert.inputs.store import Chunk
from safeconvert.verification.native import Form, against_export, against_first, judge_form
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
    run: Run, native: Evaluated, exported: Export, chunks: Sequence[Chunk], settings: VerifySettings, settling: Settling
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


class SourceCheck:
    """What became of a source's ONNX form, once somebody asks for it or it was begun."""

    def __init__(self, looks: Looks, threads: Executor) -> None:
        self._looks = looks
        self._threads = threads
        self._begun: Future[ExporterCheck] | None = None
        self._of_all = False
        self._lock = threading.Lock()

    def start(self) -> Future[ExporterCheck]:
        """Begin in the background, on the first inputs, unless it was begun."""
        with self._lock:
            if self._begun is None:
                self._begun = self._threads.submit(self._looks.first)
            return self._begun

    def offer(self, known: KnownRun) -> None:
        """A run that may be of the same file; taken where nothing was begun."""
        with self._lock:
            if self._begun is None:
                self._begun, self._of_all = self._threads.submit(self._looks.known, known), True

    def on_all(self) -> None:
        """Look at all inputs, in the background: where a target differs, the form is what its faults are found on."""
        with self._lock:
            if not self._of_all:
                self._begun, self._of_all = self._threads.submit(self._looks.all), True

    def result(self) -> ExporterCheck:
        """The check, waited for."""
        return self.start().result()


class FinishedCheck(SourceCheck):
    """A check that was made before."""

    def __init__(self, check: ExporterCheck) -> None:
        self._check = check

    def start(self) -> Future[ExporterCheck]:
        """Nothing is begun."""
        future: Future[ExporterCheck] = Future()
        future.set_result(self._check)
        return future

    def offer(self, known: KnownRun) -> None:
        """It is known already."""

    def on_all(self) -> None:
        """It is known already."""
