"""Open an attack's model in a worker, run it on zeros, and see what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.errors import SafeconvertError
from safeconvert.registry.manifest import adapters, framework
from safeconvert.workers.pool import WorkerPool
from safeconvert.workers.session import Session, load_files, open_session

from .registry import Attack


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt.

    Attributes:
        refusal: message of the error; "" where the model was opened and run.
        exit_code: of that error; 0 where there was none.
        ran: whether the attack's file was written.
        outputs: first number of each output.
    """

    refusal: str
    exit_code: int
    ran: bool
    outputs: Mapping[str, float] = field(default_factory=dict)

    @property
    def read(self) -> bool:
        """Whether a file of the machine reached an output: all attacks that read give zeros for zeros otherwise."""
        return any(self.outputs.values())


def attempt(pool: WorkerPool, attack: Attack, made: Path, trusted: bool, scratch: Path) -> Outcome:
    """Open an attack and run it.

    Args:
        pool: workers of this test session; trusted and untrusted attempts never share one.
        attack: one of the registry.
        made: the folder that `registry.make` filled.
        trusted: as with `--trust-pickle`: nothing is inspected.
        scratch: for inputs and outputs.
    """
    place = made / attack.name
    for path in place.glob("ran*"):
        path.unlink()
    refusal, code, outputs = "", 0, {}
    try:
        session = opened(pool, attack.framework, place / "in" / attack.file, trusted)
        if trusted:
            outputs = run(session, scratch)
    except SafeconvertError as error:
        refusal, code = str(error), int(error.exit_code)
    return Outcome(refusal, code, any(place.glob("ran*")), outputs)


def opened(pool: WorkerPool, adapter: str, path: Path, trusted: bool = False) -> Session:
    """A model opened in a worker, where its shapes are free as rows of 64 or 2x4 numbers."""
    request = ModelRequest(str(path), trust_pickle=trusted, candidate_shapes=((64,), (2, 4), (2, 64)))
    return open_session(pool.worker(f"{adapter}-{trusted}"), framework(adapter, adapters()), request)


def run(session: Session, scratch: Path) -> dict[str, float]:
    """The first number of each output on zeros."""
    feeds = {}
    for number, spec in enumerate(session.signature.inputs):
        feeds[spec.name] = scratch / f"zeros-{number}.npy"
        np.save(feeds[spec.name], np.zeros([size or 2 for size in spec.shape], spec.dtype))
    (files,) = session.run([feeds], scratch)
    return {name: float(array.ravel()[0]) for name, array in load_files(files).items()}
