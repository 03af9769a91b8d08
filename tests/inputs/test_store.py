"""Chunks on disk, and a disk that takes no more."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import numpy as np
import pytest

from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput
from safeconvert.inputs.generate import generate
from safeconvert.inputs.store import borders, materialise

TWO = Signature((TensorSpec("a/../b", (None, 3), "float32"), TensorSpec("ids", (None, 4), "int64")), ())


@pytest.mark.parametrize("size", [1, 4, 9, 100])
def test_every_input_of_every_sample_is_there_once_whatever_its_name(size: int, tmp_path: Path) -> None:
    made = generate(TWO, 9, 0, {})
    done: list[int] = []
    chunks = materialise(made, tmp_path, size, done.append)
    assert chunks[-1].stop == sum(done) == 9
    assert all(chunk.stop - chunk.start <= size for chunk in chunks)
    for name, whole in made.chunk(0, 9).items():
        stored = [np.load(chunk.arrays[name], allow_pickle=False) for chunk in chunks]
        np.testing.assert_array_equal(np.concatenate(stored), whole)
    assert len(list(tmp_path.iterdir())) == 2 * len(chunks)


@pytest.mark.parametrize(
    ("count", "most", "values", "sizes"),
    [
        (70, 32, 50_000, [32, 32, 6]),
        (70, 32, 50_001, [8, 8, 8, 8, 6, 32]),
        (64, 32, 150_528, [8, 8, 8, 8, 32]),
        (32, 32, 150_528, [32]),
        (5, 2, 150_528, [1, 1, 1, 2]),
        (3, 1, 150_528, [1, 1, 1]),
        (0, 32, 0, []),
    ],
)
def test_large_samples_come_in_smaller_calls_and_no_size_of_a_call_goes_untried(
    count: int, most: int, values: int, sizes: list[int]
) -> None:
    found = list(borders(count, most, values))
    assert [stop - start for start, stop in found] == sizes
    assert [start for start, _ in found] == [sum(sizes[:number]) for number in range(len(sizes))]


def test_a_set_of_large_samples_is_written_out_in_smaller_chunks(tmp_path: Path) -> None:
    wide = Signature((TensorSpec("ids", (None, 2), "int64"), TensorSpec("x", (None, 50_001), "float32")), ())
    chunks = materialise(generate(wide, 13, 0, {}), tmp_path, 8, lambda done: None)
    assert [(chunk.start, chunk.stop) for chunk in chunks] == [(0, 2), (2, 4), (4, 5), (5, 13)]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UnusableInput, match="file: cannot be written"):
        materialise(generate(TWO, 3, 0, {}), tmp_path / "file", 2, lambda done: None)


def test_a_disk_that_takes_no_more_is_named(tmp_path: Path) -> None:
    """The largest size of a file stands for a full disk: the write fails half way through."""
    wide = Signature((TensorSpec("x", (None, 100_000), "float32"),), ())
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(UnusableInput) as raised:
            materialise(generate(wide, 3, 0, {}), tmp_path, 2, lambda done: None)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert str(tmp_path) in raised.value.message and "TMPDIR" in raised.value.advice
