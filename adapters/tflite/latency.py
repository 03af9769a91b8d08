"""How long a call of `.tflite` files takes in LiteRT, measured together so that what else the machine does falls on all of them."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .runtime import interpreter

_WARM = 3
_SECONDS = 3.0  # for all files together; slow ones are called less often


def medians(paths: Sequence[str], calls: int) -> dict[str, Any]:
    """The median time of a call of each file, on zeros, in turns.

    Args:
        paths: of the files.
        calls: of each at most.

    Returns:
        `milliseconds` in the order of the files, `calls` that were made of each, and `threads` of the runtime.
    """
    made = [_ready(path) for path in paths]
    taken: list[list[float]] = [[] for _ in made]
    began = time.perf_counter()
    for turn in range(_WARM + calls):
        for one, own in zip(made, taken, strict=True):
            start = time.perf_counter()
            one.invoke()
            own.append(time.perf_counter() - start)
        if turn >= _WARM and time.perf_counter() - began > _SECONDS:
            break
    counted = [own[_WARM:] for own in taken]
    return {
        "milliseconds": [1000 * float(np.median(own)) for own in counted],
        "calls": len(counted[0]) if counted else 0,
        "threads": os.cpu_count() or 1,
    }


def _ready(path: str) -> Any:
    made = interpreter(Path(path).read_bytes())
    made.allocate_tensors()
    for detail in made.get_input_details():
        made.set_tensor(detail["index"], np.zeros(detail["shape"], detail["dtype"]))
    return made
