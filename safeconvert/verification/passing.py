"""The inputs behind the first ones, compared in passing: each chunk is read, run on both models, compared, and gone.

All of them are held out: they steer nothing. What is kept of each is a record of some 20 bytes in a file, so that one that
stands in the inputs twice counts once, and parts can be merged; memory does not grow with their number.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np

from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.exchange import comparable_outputs
from safeconvert.compare.output_pair import Array
from safeconvert.compare.records import Kind, found_of, open_records, record_type, sample_digests, start_records, tally
from safeconvert.compare.settings import VerifySettings
from safeconvert.compare.tally import Moments, with_tally
from safeconvert.conversion.models import Evaluated
from safeconvert.core.progress import Advance
from safeconvert.errors import NoVerdict
from safeconvert.inputs.rest import Rest, SampleDigest, chunks_digest
from safeconvert.inputs.store import Chunk, written_chunk
from safeconvert.verification.native import accumulator, feed_across
from safeconvert.verification.pair import Pair
from safeconvert.verification.rounding import only_rounding
from safeconvert.verification.source import Source
from safeconvert.verification.stability import stable_samples, unless_most
from safeconvert.verification.types import Passed, Verification
from safeconvert.verification.usable_samples import finite_samples
from safeconvert.workers.run import Run
from safeconvert.workers.session import load_files

_MOST_ROUNDED = (
    256  # inputs that are looked at in float64; where more are beyond tolerance, it is no exception any more
)


def compare_rest(run: Run, pair: Pair, found: Verification, rest: Rest, settings: VerifySettings) -> Verification:
    """The verification with the inputs behind the first ones.

    Args:
        run, settings: the surroundings, and how outputs are compared.
        pair: both models, open.
        found: the verification on the first inputs, which found the target equal.
        rest: the other inputs, or a part of them.

    Raises:
        NoVerdict: the target is not the one that was opened any more, or the source gives another number of outputs.
        UnusableInput: a sample cannot be read.
        AdapterFailure: a model does not run.
    """
    passing = _Passing(run, pair, found, rest, settings)
    path = run.kept("records") / "records.npy"
    with run.phases.phase("comparing the other inputs", rest.stop - rest.start) as advance, path.open("wb") as file:
        passing.run_all(file, advance)
    width = len(passing.moments)
    records = open_records(path, width)
    counted = tally([(0, records[: rest.first]), (rest.start, records[rest.first :])], width, run.scratch)
    native = with_tally(found.native, counted, passing.moments, settings.max_discrepancy)
    native = replace(native, exact_relative=max(native.exact_relative, passing.apart))
    passed = Passed(rest, found.native, counted, passing.moments, path, passing.digest.hex, passing.apart)
    return replace(found, native=native, passed=passed)


def with_digest(source: Source, rest: Rest, passed: Passed | None) -> Source:
    """The source with the digest of the samples that were compared: the first ones alone, where the others were not."""
    data = source.data
    if passed is None:
        rest = replace(rest, chunks=(0, 0))
    samples = passed.sha256 if passed is not None else chunks_digest(data.given)
    sha256 = data.sha256 or samples
    return replace(source, data=replace(data, rest=rest, samples=samples, sha256=sha256))


class _Passing:
    """One pass over the inputs behind the first ones.

    Attributes:
        moments: of each output, so far.
        digest: of the first samples and of these.
        rounded: inputs beyond tolerance by rounding alone, and how far `apart` the models are on these in float64.
    """

    def __init__(self, run: Run, pair: Pair, found: Verification, rest: Rest, settings: VerifySettings) -> None:
        self._run, self._pair, self._found, self._rest, self._settings = run, pair, found, rest, settings
        source = pair.source
        self._figures = accumulator(pair.contract, source.outputs, source.data.chunks, settings)
        self.moments: tuple[Moments, ...] = ()
        self.digest = SampleDigest()
        self.rounded, self.apart = 0, 0.0

    def run_all(self, file: IO[bytes], advance: Advance) -> None:
        """Write a record of each of the first samples and of each of these."""
        rest = self._rest
        width = len(self._pair.contract.outputs)
        start_records(file, width, rest.first + rest.stop - rest.start)
        for chunk in self._pair.source.data.given:
            arrays = _sampled(load_files(chunk.arrays), chunk.whole)
            self.digest.add(arrays)
            file.write(_records(arrays, Kind.FIRST, np.zeros((chunk.stop - chunk.start, width), np.uint8)))
        for start, stop in rest.borders():
            arrays = rest.inputs.chunk(start, stop)
            self.digest.add(arrays)
            with _folder(self._run) as folder:
                kinds, found = self._compared(written_chunk(arrays, start, stop, folder, rest.inputs.whole), folder)
            file.write(_records(arrays, kinds, found))
            advance(stop - start)

    def _compared(self, chunk: Chunk, folder: Path) -> tuple[Array, Array]:
        """What each sample of a chunk is, and what came of it."""
        ours, theirs = self._both(chunk, folder)
        figures = self._added(chunk, ours, theirs)
        kinds = np.zeros(chunk.stop - chunk.start, np.uint8)
        usable = np.arange(chunk.start, chunk.stop)
        if self._pair.source.data.generated:
            usable = finite_samples(ours, [chunk])
            if len(np.intersect1d(figures.unequal(), usable)):
                usable = self._stable(chunk, ours, usable)
            kinds[np.setdiff1d(np.arange(chunk.start, chunk.stop), usable) - chunk.start] |= np.uint8(Kind.LEFT_OUT)
        unequal = np.intersect1d(figures.unequal(), usable)
        if len(unequal) and self.rounded + len(unequal) <= _MOST_ROUNDED:
            apart = only_rounding(
                self._run, self._pair.source, self._found, self._settings, (chunk, ours), figures.result(usable)
            )
            if apart is not None:
                kinds[unequal - chunk.start] |= np.uint8(Kind.ROUNDED)
                self.rounded, self.apart = self.rounded + len(unequal), max(self.apart, float(f"{apart:.3g}"))
        moments = figures.moments(usable - chunk.start)
        if self.moments:
            moments = tuple(one.merge(other) for one, other in zip(self.moments, moments, strict=True))
        self.moments = moments
        return kinds, found_of(figures)

    def _both(self, chunk: Chunk, folder: Path) -> tuple[Evaluated, Evaluated]:
        """Both models' outputs on a chunk, the target's while the source runs."""
        run, source, target = self._run, self._pair.source, self._pair.target
        if not (source.session.alive and target.session.alive):
            raise NoVerdict("a model's process ended between the first inputs and the others", "run it again")
        feed = feed_across(self._pair.contract, [chunk], folder)
        other = run.threads.submit(target.session.run, feed, folder)
        try:
            ours = Evaluated(source.session.signature, tuple(source.session.run([dict(chunk.arrays)], folder)))
        finally:
            theirs = Evaluated(target.session.signature, tuple(other.result()))
        return ours, theirs

    def _added(self, chunk: Chunk, ours: Evaluated, theirs: Evaluated) -> Accumulator:
        figures = self._figures.fresh()
        loaded = [load_files(side.outputs[0]) for side in (ours, theirs)]
        left, right = comparable_outputs(self._pair.contract, *loaded)
        if chunk.whole:
            left, right = _sampled(left, True), _sampled(right, True)
        figures.add(left, right, np.arange(chunk.start, chunk.stop))
        return figures

    def _stable(self, chunk: Chunk, ours: Evaluated, usable: Array) -> Array:
        source = self._pair.source
        arguments = (self._run, source.session, ([chunk], ours), source.data.seed, usable, self._settings)
        return unless_most(stable_samples(*arguments), usable)


def _sampled(arrays: Mapping[str, Array], whole: bool) -> dict[str, Array]:
    """Arrays with the samples along axis 0, also of one that is a whole call."""
    return {name: array[None] if whole else array for name, array in arrays.items()}


def _records(arrays: Mapping[str, Array], kinds: Array | int, found: Array) -> bytes:
    records = np.zeros(len(found), record_type(found.shape[1]))
    records["digest"], records["kind"], records["found"] = sample_digests(arrays, len(found)), kinds, found
    return records.tobytes()


@contextmanager
def _folder(run: Run) -> Iterator[Path]:
    """A folder for one chunk, of which nothing is left."""
    folder = run.folder("passing")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
