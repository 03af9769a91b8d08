"""End a worker with the process that started it, also where that one was killed. Standard library only.

A small process stands beside the worker, in its process group, and watches the pipe that requests come through: when the other end
is gone, or the worker is, it ends the whole group. It needs neither the worker's interpreter, which may be busy in a converter's own
code, nor a signal of the kernel's, which Linux alone has and sends when the thread that started the worker ends.
"""

from __future__ import annotations

import os
import select
import signal

_LOOK_MILLISECONDS = 500


def tie(requests: int) -> None:
    """Start the guard. To be called by the leader of a process group, before it has threads or is restricted.

    Args:
        requests: the reading end of a pipe whose writing end only the parent holds.
    """
    worker = os.getpid()
    if os.fork() != 0:
        return
    try:
        _let_go(requests)
        watched = select.poll()
        watched.register(requests, 0)  # nothing but the end of the other side
        while os.getppid() == worker and not watched.poll(_LOOK_MILLISECONDS):
            pass
    finally:
        os.killpg(0, signal.SIGKILL)


def _let_go(kept: int) -> None:
    """Close what the worker has open, so that its end is seen by those who read from it."""
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.closerange(3, kept)
    os.closerange(kept + 1, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 1 << 16 else 1 << 16)
