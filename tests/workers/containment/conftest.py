"""A worker that runs what code in a model file might try, contained or not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from safeconvert.core.containment import Mode
from safeconvert.workers.containment.policy import Policy
from safeconvert.workers.grants import policy_for
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.templates import Templates
from safeconvert.workers.worker import Limits, Worker

HOSTILE = Path(__file__).parent / "hostile"
MEMORY = 2 << 30


class Attacker:
    """One worker of a mode; `tries` has it call a function of the hostile adapter."""

    def __init__(
        self, mode: Mode, folder: Path, limits: Limits, policy: Policy, templates: Templates | None = None
    ) -> None:
        self.mode = mode
        self.given = folder / "given"
        self.outside = folder / "outside"
        self.scratch = folder / "scratch"
        self.worker = Worker(Path(sys.executable), folder / "log", limits, self.scratch, policy, templates=templates)

    def tries(self, function: str, **arguments: Any) -> Any:
        return self.worker.call("hostile", function, CallFunction(HOSTILE, function, arguments, ("onnx",)))


Attack = Callable[..., Attacker]


@pytest.fixture(params=["anew", "forked"])
def attacker(request: pytest.FixtureRequest, templates: Templates, tmp_path: Path) -> Iterator[Attack]:
    """Makes workers of a mode, started anew or forked from a template, with one folder that they may read, one that they may write, and one outside both."""
    made: list[Attacker] = []
    forked = request.param == "forked"

    def make(mode: Mode = Mode.REQUIRE, seconds: float = 500, memory: int = MEMORY) -> Attacker:
        for name in ("given", "outside", "scratch"):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / "file").write_text(name)
        policy = policy_for(mode, [HOSTILE.parent, tmp_path / "given"], [tmp_path / "scratch"], memory)
        made.append(Attacker(mode, tmp_path, Limits(seconds, memory), policy, templates if forked else None))
        return made[-1]

    yield make
    for each in made:
        each.worker.close()
