"""The environment variables that a worker is started with."""

from __future__ import annotations

from pathlib import Path

from safeconvert.core.containment import Mode
from safeconvert.registry.environments import inherited
from safeconvert.workers.containment.environment import homes, reduced

_OWN = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    # OpenMP's threads sleep between two operators instead of spinning: a small net's call takes a tenth of the processor time, and
    # spinning threads take the cores from those that work.
    "OMP_WAIT_POLICY": "PASSIVE",
    # glibc gives every freed block of weights back to the kernel at once and asks for the next one page by page; to keep
    # them until the answer is there makes tf2onnx three times as fast on 60 million weights.
    "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 36),
}


def variables(python: Path, folder: Path, mode: Mode) -> dict[str, str]:
    """The variables of a worker in an interpreter, with a folder for its files.

    Contained, it gets of the user's only those that it needs.
    """
    if mode is Mode.OFF:
        return {**inherited(python), **_OWN, "TMPDIR": str(folder)}
    return {**reduced(inherited(python)), **_OWN, **homes(folder)}
