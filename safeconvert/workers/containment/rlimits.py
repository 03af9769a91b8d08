"""Resource limits of a worker's own process. Standard library only; a filter keeps them from being lifted again."""

from __future__ import annotations

import resource

_SLACK = 8 << 30  # bytes; stacks of threads and what allocators reserve
_OPEN_FILES = 4096


def restrict(memory: int) -> None:
    """Limit this process' data, the size of a file it writes, and its open files; no core is dumped.

    Resident memory is watched by the parent, ten times a second; the limit here is for what happens in between. No file is
    larger than the memory that it was written from.

    Args:
        memory: bytes that the process may have resident.
    """
    for kind, wanted in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, memory),
        (resource.RLIMIT_DATA, memory + _SLACK),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
    ):
        _, hard = resource.getrlimit(kind)
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (limit, limit))
