"""Memory that was freed, given back to the system."""

from __future__ import annotations

import ctypes
import gc
import os
from pathlib import Path

_LARGE = (
    2 << 30
)  # within a request: below, collecting takes longer than the memory is worth, since it looks at every object


def give_back(large: int = _LARGE) -> None:
    """Have the C library of a process return what is free of its heap to the system: glibc, on Linux; elsewhere the allocator does as it likes.

    A worker keeps what is freed until it has answered (`workers.variables`); a request that frees gigabytes on its way says when.

    Args:
        large: bytes in memory up to which the process keeps them.
    """
    try:
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        if resident > large:
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return
