"""Mutants of models: detected, copied, opened and run as a conversion does it, in contained workers."""

from __future__ import annotations

import math
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import psutil

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.config.options import ModelOptions
from safeconvert.config.settings import load_settings
from safeconvert.conversion.models import open_given
from safeconvert.core.cut import Cut
from safeconvert.core.formats import detect
from safeconvert.core.progress import Phases
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import SafeconvertError
from safeconvert.verification.part import take_part
from safeconvert.verification.snapshot import confirm, snapshot
from safeconvert.workers.run import Run, open_run
from safeconvert.workers.session import Session, load_files

from .seeds import Files, write
from .verdicts import State, Verdict, of_error

SECONDS = 60.0
"""Limit of one call of a worker."""
_HANGS = 4 * SECONDS
"""More than all calls for one mutant may take together, on a machine that is busy otherwise."""
_MEMORY = 6 << 30
_MOST_ELEMENTS = 1 << 16
_SHAPES = ((4,), (3, 5, 5), (2, 4), (2, 3, 5, 5))
CUTS = {
    "pool.onnx": Cut(("norm",), ("flatten",)), "branches.onnx": Cut(("compare",), ("own",)), "external.onnx": Cut(("norm",), ("flatten",)),
    "functional.keras": Cut(("flatten",), ("flatten",)), "functional.h5": Cut((), ("conv",)), "plain": Cut((), ("MatMul",)),
    "branches": Cut(("MatMul",)), "float.tflite": Cut((), ("StatefulPartitionedCall_1:0",)), "int8.tflite": Cut(("functional_1/conv_1/convolution1",)), "net.pt2": Cut(("relu",), ("relu",)),
}  # fmt: skip
"""By the name of a seed: the part that is cut out of its mutants."""


@dataclass(frozen=True)
class ModelJudge:
    """Opens mutants in the workers of one run.

    Attributes:
        run: the surroundings.
        folder: holds the mutant's own folder; nothing of it may be written by a worker.
        workers: pids of all that were seen.
        parts: of a mutant whose seed is among `CUTS`, the part is cut out, and that is opened.
    """

    run: Run
    folder: Path
    workers: set[int]
    parts: bool = False

    def judge(self, main: str, files: Files) -> Verdict:
        """What becomes of a mutant."""
        given = self.folder / "given"
        write(files, given)
        before, began = self._listing(), time.monotonic()
        try:
            verdict = self._opened(given / main)
        except Exception as error:  # noqa: BLE001 - what is not one of ours is what is looked for
            verdict = of_error(error)
        finally:
            for place in (*self.run.copies.iterdir(), *self.run.scratch.iterdir()):
                shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
        changed = {path for path, _ in before ^ self._listing()}
        if changed:
            return Verdict(State.FAULT, f"files outside the scratch folder changed: {sorted(changed)}")
        if time.monotonic() - began > _HANGS:
            return Verdict(State.FAULT, f"{time.monotonic() - began:.0f} s, of calls limited to {SECONDS:g} s")
        return verdict

    def _opened(self, path: Path) -> Verdict:
        file = snapshot(self.run, detect(path))
        if self.parts:
            file = take_part(self.run, file, ModelOptions(cut=CUTS.get(path.name, Cut())))
        role = file.format
        try:
            session = open_given(self.run, role, file, ModelRequest(str(file.path), candidate_shapes=_SHAPES))
        finally:
            process = self.run.pool.worker(role)._process
            self.workers.add(process.pid if process is not None else 0)
        verdict = self._ran(session)
        if session.alive:
            session.close()
        confirm(file)
        return verdict

    def _ran(self, session: Session) -> Verdict:
        """Run on inputs made up, unless they would be too large or are no numbers."""
        feeds = made_up(session.signature)
        if feeds is None:
            return Verdict(State.OPENED)
        place = self.run.folder("feeds")
        paths = {name: place / f"{number}.npy" for number, name in enumerate(feeds)}
        for name, array in feeds.items():
            np.save(paths[name], array)
        try:
            load_files(session.run([paths], self.run.scratch)[0])
        except SafeconvertError as error:
            verdict = of_error(error)
            return verdict if verdict.state is State.FAULT else Verdict(State.OPENED, verdict.detail)
        return Verdict(State.RAN)

    def _listing(self) -> set[tuple[str, int]]:
        """All that lies in the folder, and when it was changed, but for safeconvert's own places."""
        own = (self.folder / "temporary", self.folder / "state")
        found = set()
        for folder, folders, names in os.walk(self.folder):
            folders[:] = [name for name in folders if Path(folder) / name not in own]
            found |= {(str(path), path.lstat().st_mtime_ns) for path in (Path(folder) / name for name in names)}
        return found


def made_up(signature: Signature) -> Mapping[str, np.ndarray] | None:
    """Small seeded inputs of the declared shapes."""
    random = np.random.default_rng(3)
    feeds = {}
    for spec in signature.inputs:
        shape = [2 if size is None else size for size in spec.shape]
        if spec.numbers is None or math.prod(shape) > _MOST_ELEMENTS:
            return None
        feeds[spec.name] = _values(spec, shape, random)
    return feeds


def _values(spec: TensorSpec, shape: list[int], random: np.random.Generator) -> np.ndarray:
    values = (
        random.normal(size=shape)
        if spec.numbers is not None and spec.numbers.kind == "f"
        else random.integers(0, 2, shape)
    )
    return np.asarray(values, dtype=spec.numbers)


@contextmanager
def judging(folder: Path, parts: bool = False) -> Iterator[ModelJudge]:
    """A judge, of whole mutants or of parts of them, whose run ends with the block; every worker is gone then, or an AssertionError says so."""
    for name in ("temporary", "state", "given", "outside", "home"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "outside" / "secret").write_bytes(bytes(4096))
    settings = load_settings()
    share = min(0.75, _MEMORY / psutil.virtual_memory().total)
    settings = replace(settings, limits=replace(settings.limits, seconds=SECONDS, memory_share=share))
    places = {
        "XDG_STATE_HOME": str(folder / "state"),
        "TMPDIR": str(folder / "temporary"),
        "HOME": str(folder / "home"),
    }
    with patch.dict(os.environ, places), patch("tempfile.tempdir", str(folder / "temporary")):
        with open_run(settings, Phases()) as run:
            judge = ModelJudge(run, folder, set(), parts)
            yield judge
        left = [pid for pid in sorted(judge.workers - {0}) if psutil.pid_exists(pid)]
        assert not left, f"workers are left: {left}"
        kept = sorted(path.name for path in (folder / "temporary").iterdir())
        assert not kept, f"temporary files are left: {kept}"
