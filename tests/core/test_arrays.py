"""Arrays as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from safeconvert.core.arrays import save_array


@pytest.mark.parametrize(
    "array",
    [
        np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1),
        np.arange(6).reshape(2, 3).T,
        np.float32(3.5)[...],
        np.empty((0, 2)),
    ],
    ids=["moved axes", "transposed", "one value", "nothing"],
)
def test_an_array_is_the_same_and_in_order(array: np.ndarray, tmp_path: Path) -> None:
    save_array(tmp_path / "x.npy", array)
    found = np.load(tmp_path / "x.npy")
    assert found.shape == array.shape and found.dtype == array.dtype and np.array_equal(found, array)
    assert found.flags.c_contiguous, "the other side would copy it value by value"


def test_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="pickle"):
        save_array(tmp_path / "x.npy", np.array([{}], dtype=object))
