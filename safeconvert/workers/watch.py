"""Watch from outside what a worker uses."""

from __future__ import annotations

import psutil

_MOST_THREADS = 2048


def excess(pid: int, memory: int) -> str:
    """What a process and its children have more of than they may, in words; "" for nothing.

    Args:
        pid: of the process.
        memory: resident bytes that they may have together.
    """
    try:
        process = psutil.Process(pid)
        members = [process, *process.children(recursive=True)]
        resident = sum(int(member.memory_info().rss) for member in members)
        threads = sum(int(member.num_threads()) for member in members)
    except psutil.Error:
        return ""
    if resident > memory:
        return f"memory grew past the limit of {memory / 2**20:.0f} MiB"
    return f"more than {_MOST_THREADS} threads" if threads > _MOST_THREADS else ""
