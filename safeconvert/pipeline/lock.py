"""One run to an output path at a time."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safeconvert.errors import UnusableInput

_POLL_SECONDS = 0.1


@contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold an output path. The kernel lets go of it with the process, however that ends.

    Raises:
        UnusableInput: another run holds it.
    """
    path = target.with_name(f".{target.name}.lock")
    held = _taken(path, target)
    try:
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(held)


def await_free(target: Path, seconds: float) -> None:
    """Wait until no run holds an output path, or some seconds are over."""
    path = target.with_name(f".{target.name}.lock")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            time.sleep(_POLL_SECONDS)
        except OSError:
            return


def _taken(path: Path, target: Path) -> int:
    """Open the lock file and lock it, anew where the run before removed it in between."""
    while True:
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            raise UnusableInput(f"{path}: cannot be written: {error.strerror}", "name another path with -o") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(file, 20).decode("ascii", "replace").strip()
            os.close(file)
            raise UnusableInput(
                f"{target}: another run of safeconvert" + (f" (process {holder})" if holder else "") + " writes it",
                "wait for it to end, or name another path with -o",
            ) from error
        if _same(file, path):
            os.truncate(file, 0)
            os.write(file, str(os.getpid()).encode())
            return file
        os.close(file)


def _same(file: int, destination: Path) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(file), destination.stat(follow_symlinks=False))
    return False
