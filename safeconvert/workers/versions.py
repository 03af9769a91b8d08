"""Versions of what took part in a run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from safeconvert.errors import AdapterFailure
from safeconvert.workers.requests import ReadVersions
from safeconvert.workers.run import Run


def versions(run: Run, packages: Sequence[str], python: Path = Path(sys.executable)) -> dict[str, str]:
    """Installed versions, requested of the environment that converters run in.

    Raises:
        AdapterFailure: the worker does not answer.
    """
    worker = run.pool.worker("convert", python)
    request = ReadVersions(packages)
    try:
        found = worker.call("safeconvert", "reading versions", request)
    except AdapterFailure as failure:
        if not failure.died:
            raise
        # a system out of memory ends the largest process, which is often the idle converter; a new one can answer
        found = worker.call("safeconvert", "reading versions", request)
    return {name: version for name, version in found.items() if version is not None}
