"""The scratch folder of a run, and those that killed runs left.

A folder is named by the process that made it and when that process began, and holds a lock that the kernel lets go of with the
process: a run that goes on, also one in another container that shares the folder, keeps what is its own.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from safeconvert.errors import UnusableInput

_NAME = re.compile(r"safeconvert-([0-9]+)-([0-9]+)-\w+")
_LOCK = "lock"
_DRIFT_SECONDS = 5.0  # what the time of the start moves by when a clock is set
_NEW_SECONDS = 600.0  # a folder without a lock may be about to get one


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder, removed on the way out, after those of dead processes.

    Raises:
        UnusableInput: there is no space for it.
    """
    sweep(Path(tempfile.gettempdir()))
    began = int(psutil.Process().create_time())
    try:
        folder = Path(tempfile.mkdtemp(prefix=f"safeconvert-{os.getpid()}-{began}-"))
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise UnusableInput(
            f"{tempfile.gettempdir()}: cannot be written: {error.strerror}", "free some space, or set TMPDIR"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep(root: Path) -> None:
    """Remove the folders that dead processes of this user left; what cannot be removed stays."""
    with suppress(OSError):
        for folder in sorted(root.iterdir()):
            if _NAME.fullmatch(folder.name) and _abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _abandoned(folder: Path) -> bool:
    """Whether a folder is this user's, and its run is gone; False for one that vanishes meanwhile."""
    try:
        state = folder.stat(follow_symlinks=False)
    except OSError:
        return False
    if state.st_uid != os.geteuid() or not stat.S_ISDIR(state.st_mode) or _lives(folder.name):
        return False
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return time.time() - state.st_mtime > _NEW_SECONDS
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except OSError:
        return False
    finally:
        os.close(lock)


def _lives(name: str) -> bool:
    """Whether the process that a folder is named after is there."""
    named = _NAME.fullmatch(name)
    try:
        return named is not None and abs(psutil.Process(int(named[1])).create_time() - int(named[2])) < _DRIFT_SECONDS
    except (psutil.Error, OverflowError, ValueError):
        return False
