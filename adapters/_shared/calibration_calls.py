"""The calls of a model that calibration makes of stored inputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np


def calibration_calls(feeds: Sequence[Sequence[str]], whole: bool, batch: int) -> Iterator[list[np.ndarray[Any, Any]]]:
    """Arrays of each call, in the order of the inputs; what does not fill a call is left out.

    Args:
        feeds: by chunk, the `.npy` file of each input, samples along axis 0.
        whole: a chunk is a call.
        batch: samples of a call.
    """
    for chunk in feeds:
        arrays = [np.load(file, allow_pickle=False) for file in chunk]
        if whole:
            yield arrays
            continue
        count = max((len(array) for array in arrays if array.ndim), default=1)
        for start in range(0, count - batch + 1, batch):
            yield [np.ascontiguousarray(array[start : start + batch]) if array.ndim else array for array in arrays]
