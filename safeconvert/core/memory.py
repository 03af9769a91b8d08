"""Memory that was freed, given back to the system."""

from __future__ import annotations

import ctypes
import gc
import os
from pathlib import Path

_LARGE = 2 << 30  # below, collecting takes longer than the memory is worth: it looks at every object of the process


def give_back() -> None:
    """Have the C library of a large process return what is free of its heap to the system: glibc, on Linux.

    A worker keeps what is freed until it has answered (`workers.variables`); a request that frees gigabytes on its way says when.
    """
    try:
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        if resident > _LARGE:
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        return
