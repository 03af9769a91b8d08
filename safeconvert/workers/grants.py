"""What the workers of a run may read and write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from safeconvert.core.containment import Mode
from safeconvert.workers.containment.policy import Policy

_PACKAGE = Path(__file__).resolve().parent.parent


def policy_for(mode: Mode, readable: Iterable[Path], writable: Iterable[Path], memory: int) -> Policy:
    """A policy by which workers also read safeconvert's own code.

    Args:
        mode: how much containment is asked for.
        readable: files and folders: of adapters, of what the run was given.
        writable: folders of the run's own.
        memory: bytes that a worker may have resident.
    """
    paths = tuple(dict.fromkeys(map(str, (_PACKAGE, *readable))))
    return Policy(mode, paths, tuple(map(str, writable)), memory=memory, home=str(Path.home()))
