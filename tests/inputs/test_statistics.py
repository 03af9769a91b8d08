"""What samples look like, whatever their shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from safeconvert.inputs.statistics import Looks, looks
from safeconvert.inputs.store import Chunk


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
def test_a_whole_call_may_be_one_number(dtype: str, tmp_path: Path) -> None:
    chunks = []
    for number, value in enumerate((3, 1)):
        path = tmp_path / f"{number}.npy"
        np.save(path, np.array(value, dtype=dtype))
        chunks.append(Chunk(number, number + 1, {"x": path}, whole=True))
    least, largest = (1.0, 1.0) if dtype == "bool" else (1.0, 3.0)
    found = looks(chunks)["x"]
    assert (found.least, found.largest) == (least, largest)
    assert found.mean == (least + largest) / 2


def test_what_is_not_finite_is_left_out(tmp_path: Path) -> None:
    np.save(tmp_path / "0.npy", np.array([[1, np.nan], [np.inf, 3]], dtype=np.float32))
    np.save(tmp_path / "1.npy", np.array(np.nan, dtype=np.float32))
    chunks = [Chunk(0, 2, {"x": tmp_path / "0.npy"}), Chunk(2, 3, {"x": tmp_path / "1.npy"}, whole=True)]
    assert looks(chunks)["x"] == Looks(2.0, 1.0, 1.0, 3.0)


def test_an_input_without_elements_is_known_too(tmp_path: Path) -> None:
    np.save(tmp_path / "axes.npy", np.zeros((2, 0), dtype=np.int64))
    assert looks([Chunk(0, 2, {"axes": tmp_path / "axes.npy"})]) == {"axes": Looks(0.0, 1.0, 0.0, 0.0)}
