"""Inputs are read from a copy: what happens to the given files meanwhile is not what is run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from safeconvert.config.options import DataOptions
from safeconvert.config.settings import load_settings
from safeconvert.core.progress import Advance, Phases
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput
from safeconvert.verification.dataset import Dataset, prepare
from safeconvert.workers.run import open_run

ROWS = Signature((TensorSpec("x", (None, 2), "float32"),), ())
IMAGES = Signature((TensorSpec("x", (None, 4, 4, 3), "float32"),), ())


class Swapped(Phases):
    """Puts other bytes in a file's place while inputs are read, and the own ones back afterwards."""

    def __init__(self, path: Path, other: bytes) -> None:
        super().__init__()
        self._path, self._other = path, other

    @contextmanager
    def phase(self, name: str, total: int | None = None) -> Iterator[Advance]:
        own = self._path.read_bytes()
        if name == "reading inputs":
            self._path.write_bytes(self._other)
        with super().phase(name, total) as advance:
            yield advance
        self._path.write_bytes(own)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def _read(dataset: Dataset) -> np.ndarray:
    return np.concatenate([np.load(chunk.arrays["x"]) for chunk in dataset.chunks])


def test_an_array_swapped_while_it_is_read_and_back_again_is_not_what_is_run(state: None, tmp_path: Path) -> None:
    rows, others = np.arange(16, dtype=np.float32).reshape(8, 2), np.full((8, 2), -1, np.float32)
    path, swapped = tmp_path / "x.npy", tmp_path / "other.npy"
    np.save(path, rows)
    np.save(swapped, others)
    with open_run(load_settings(), Swapped(path, swapped.read_bytes())) as run:
        np.testing.assert_array_equal(_read(prepare(run, DataOptions(path=path), ROWS, {})), rows)


def test_an_image_swapped_while_it_is_read_and_back_again_is_not_what_is_run(state: None, tmp_path: Path) -> None:
    folder, other = tmp_path / "images", tmp_path / "other.png"
    folder.mkdir()
    for number in range(4):
        Image.new("RGB", (4, 4), (50 * number, 0, 0)).save(folder / f"{number}.png")
    Image.new("RGB", (4, 4), (255, 255, 255)).save(other)
    with open_run(load_settings(), Swapped(folder / "2.png", other.read_bytes())) as run:
        read = _read(prepare(run, DataOptions(path=folder), IMAGES, {}))
    assert read[:, 0, 0, 0].tolist() == [0, 50, 100, 150]


def test_only_images_that_are_used_are_copied_and_labels_with_them(state: None, tmp_path: Path) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(4):
        Image.new("RGB", (4, 4)).save(folder / f"{number}.png")
    (folder / "labels.csv").write_text("file,label\n0.png,3\n1.png,4\n")
    with open_run(load_settings(), Phases()) as run:
        made = prepare(run, DataOptions(path=folder, limit=2), IMAGES, {})
        assert made.files is not None and made.files.path == folder
        assert {file.name for file in made.files.copy.iterdir()} == {"0.png", "1.png", "labels.csv"}
        assert made.inputs.labels == (3, 4) and made.inputs.origin == "images/ (2 images)"


def test_what_is_wrong_with_inputs_names_the_given_file(state: None, tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.array([[1, np.nan]], np.float32))
    with open_run(load_settings(), Phases()) as run, pytest.raises(UnusableInput) as caught:
        prepare(run, DataOptions(path=path), ROWS, {})
    assert caught.value.message == f"--inputs {path}: input x holds NaN or Inf"
    with open_run(load_settings(), Phases()) as run, pytest.raises(UnusableInput, match="no such file or folder"):
        prepare(run, DataOptions(path=tmp_path / "none.npy"), ROWS, {})
