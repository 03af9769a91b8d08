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
from safeconvert.inputs.store import materialise

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
