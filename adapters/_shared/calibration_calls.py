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


def calibrated(made: Any, feeds: Sequence[Sequence[str]], whole: bool) -> Iterator[None]:
    """Invoke a TFLite interpreter on each call, of the batch that its inputs fix; its tensors are those of the call until the next.

    Args:
        made: the interpreter.
        feeds, whole: as `calibration_calls`.
    """
    details = made.get_input_details()
    fixed = [int(detail["shape_signature"][0]) for detail in details if len(detail["shape_signature"])]
    sizes: list[tuple[int, ...]] = []
    for arrays in calibration_calls(feeds, whole, max([size for size in fixed if size > 0], default=1)):
        if [array.shape for array in arrays] != sizes:
            sizes = [array.shape for array in arrays]
            for detail, size in zip(details, sizes, strict=True):
                made.resize_tensor_input(detail["index"], list(size))
            made.allocate_tensors()
        for detail, array in zip(details, arrays, strict=True):
            made.set_tensor(detail["index"], array)
        made.invoke()
        yield
