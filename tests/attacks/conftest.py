"""Attacks are made once a session, and opened in workers that are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from safeconvert.workers.pool import WorkerPool
from safeconvert.workers.worker import Limits

from .attempts import Outcome, attempt
from .registry import Attack, Effect, make


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a program's attacks, made when it is first asked for."""
    folders: dict[str, Path] = {}

    def folder(program: str) -> Path:
        if program not in folders:
            folders[program] = tmp_path_factory.mktemp(program) / "attacks"
            make(program, folders[program])
        return folders[program]

    return folder


@pytest.fixture(scope="session")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerPool]:
    """Workers for the whole session."""
    with WorkerPool(
        tmp_path_factory.mktemp("logs"), tmp_path_factory.mktemp("scratch"), Limits(300, 16 << 30)
    ) as opened:
        yield opened


@pytest.fixture
def attempted(pool: WorkerPool, made: Callable[[str], Path], tmp_path: Path) -> Callable[[Attack, bool], Outcome]:
    """What becomes of an attack, inspected or trusted."""
    return lambda attack, trusted: attempt(pool, attack, made(attack.program), trusted, tmp_path)


@pytest.fixture
def require_stopped(attempted: Callable[[Attack, bool], Outcome]) -> Callable[[Attack], None]:
    """Fails unless an attack is refused with its words and does nothing, and does what it says where it is trusted."""

    def check(attack: Attack) -> None:
        outcome = attempted(attack, False)
        assert not outcome.ran
        assert attack.says in outcome.refusal
        assert outcome.exit_code == 2
        trusted = attempted(attack, True)
        assert trusted.ran == (attack.effect is Effect.WRITES), trusted
        assert trusted.read or attack.effect is not Effect.READS, trusted

    return check
