"""Watch from outside what a worker uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

_MOST_THREADS = 2048
_PAGE = os.sysconf("SC_PAGE_SIZE")


def excess(pid: int, memory: int) -> str:
    """What a process and its children have more of than they may, in words; "" for nothing.

    Args:
        pid: of the process.
        memory: resident bytes that they may have together.
    """
    resident = threads = 0
    for member in family(pid):
        own, running = used(member)
        resident, threads = resident + own, threads + running
    if resident > memory:
        return f"memory grew past the limit of {memory / 2**20:.0f} MiB"
    return f"more than {_MOST_THREADS} threads" if threads > _MOST_THREADS else ""


def family(pid: int) -> Iterator[int]:
    """A process and all that it started, and they did, as far as they are there.

    Each process lists its children (Linux, CONFIG_PROC_CHILDREN); psutil would look at every process of the machine, several
    times a second.
    """
    yield pid
    if not _listed():
        yield from _looked_up(pid)
        return
    for child in _children(pid):
        yield from family(child)


@cache
def _listed() -> bool:
    """Whether processes list their children."""
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists()


def _children(pid: int) -> list[int]:
    found = []
    with suppress(OSError):  # it ended meanwhile
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):  # the thread did
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def _looked_up(pid: int) -> Iterator[int]:
    try:
        yield from (child.pid for child in psutil.Process(pid).children(recursive=True))
    except psutil.Error:
        return


def used(pid: int) -> tuple[int, int]:
    """Resident bytes and threads of a process; nothing where it is gone."""
    with suppress(OSError):
        resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
        return resident, sum(1 for _ in Path(f"/proc/{pid}/task").iterdir())
    try:
        process = psutil.Process(pid)
        return int(process.memory_info().rss), int(process.num_threads())
    except psutil.Error:
        return 0, 0
