"""A model with a fixed batch is fed slices: each sample's rows are all given, however many there are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from safeconvert.adapter_api.feeding import Arrays, predict_any
from safeconvert.core.signature import Signature, TensorSpec


class Doubling:
    """Takes `batch` rows at once."""

    def __init__(self, batch: int, rows: Callable[[np.ndarray], np.ndarray]) -> None:
        self._batch, self._rows = batch, rows

    def signature(self) -> Signature:
        x = TensorSpec("x", (self._batch, 2), "float32")
        return Signature((x,), (TensorSpec("y", (None, 2), "float32"),))

    def predict(self, feeds: Arrays) -> Arrays:
        assert len(feeds["x"]) == self._batch
        return {"y": self._rows(feeds["x"]) * 2}


@pytest.mark.parametrize("batch", [1, 2, 4])
def test_a_row_a_sample_comes_out_though_the_last_slice_is_short(batch: int) -> None:
    x = np.arange(10, dtype=np.float32).reshape(5, 2)
    assert predict_any(Doubling(batch, lambda rows: rows), {"x": x})["y"].tolist() == (x * 2).tolist()


def test_of_what_is_no_row_a_sample_nothing_is_left_out() -> None:
    x = np.arange(10, dtype=np.float32).reshape(5, 2)
    found = predict_any(Doubling(1, lambda rows: np.repeat(rows, 3, axis=0)), {"x": x})["y"]
    assert found.tolist() == np.repeat(x * 2, 3, axis=0).tolist()
