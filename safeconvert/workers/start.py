"""How a worker process starts."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_WORKER = Path(__file__).with_name("_worker.py")


class Process(Protocol):
    """A process that was started, here or by a template."""

    pid: int

    def wait(self) -> int:
        """Its exit code when it ended; negative for the signal that ended it."""
        ...


@dataclass(frozen=True)
class Start:
    """How a worker starts: what it writes to and reads from, and where.

    Attributes:
        printed, requests, replies: descriptors of its end: of stdout and stderr, of requests, of replies.
        folder: its working folder.
        environment: its variables.
        role: what it does in a conversion.
    """

    printed: int
    requests: int
    replies: int
    folder: Path
    environment: Mapping[str, str]
    role: str = ""


def anew(python: Path, start: Start) -> Process:
    """A new process of an interpreter. Raises OSError where there is none."""
    return subprocess.Popen(
        [str(python), str(_WORKER), str(start.requests), str(start.replies), str(_WORKER.parents[2])],
        pass_fds=(start.requests, start.replies),
        stdin=subprocess.DEVNULL,
        stdout=start.printed,
        stderr=start.printed,
        cwd=start.folder,
        env=dict(start.environment),
        start_new_session=True,
    )
