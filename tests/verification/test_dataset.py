"""What inputs suggest for a model that declares no shapes: a guess, and never an error of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from safeconvert.config.options import DataOptions
from safeconvert.verification.dataset import shapes_suggested


def suggested(path: Path | None, preprocessing: str = "") -> tuple[tuple[int, ...], ...]:
    return shapes_suggested(DataOptions(path, preprocessing, None, {}, None))


def test_arrays_suggest_their_own_shape_with_a_batch_of_one(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros((5, 3, 8, 9), np.float32))
    np.savez(tmp_path / "x.npz", a=np.zeros((5, 3)), b=np.zeros((5, 4, 2)))
    assert suggested(tmp_path / "x.npy") == ((1, 3, 8, 9),)
    assert suggested(tmp_path / "x.npz") == ((1, 3), (1, 4, 2))
    assert suggested(None) == ()


def test_pictures_suggest_the_size_after_the_preprocessing(tmp_path: Path) -> None:
    Image.new("RGB", (600, 300)).save(tmp_path / "a.png")
    assert suggested(tmp_path) == ((1, 3, 300, 600), (1, 300, 600, 3), (1, 1, 300, 600), (1, 300, 600, 1))
    assert suggested(tmp_path, "torchvision")[0] == (1, 3, 224, 224)


def damaged(folder: Path) -> list[Path]:
    """Files of every sort of damage, and places where nothing is."""
    with (folder / "array.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    np.savez_compressed(folder / "deflated.npz", x=np.zeros(1000))
    data = bytearray((folder / "deflated.npz").read_bytes())
    data[60:80] = b"\xff" * 20
    (folder / "deflated.npz").write_bytes(data)
    np.save(folder / "header.npy", np.zeros(3))
    data = bytearray((folder / "header.npy").read_bytes())
    data[10] = ord("(")
    (folder / "header.npy").write_bytes(data)
    (folder / "empty.npy").write_bytes(b"")
    np.save(folder / "objects.npy", np.array([{}]), allow_pickle=True)
    (folder / "folder").mkdir()
    (folder / "folder" / "a.png").write_bytes(b"none")
    (folder / "none").mkdir()
    return [*folder.iterdir(), folder / "gone.npy"]


def test_what_is_damaged_suggests_nothing(tmp_path: Path) -> None:
    """Opening the inputs proper says what is wrong with them."""
    paths = damaged(tmp_path)
    assert len(paths) == 8
    assert {path.name: suggested(path) for path in paths} == {path.name: () for path in paths}


@pytest.mark.parametrize("preprocessing", ["nobody", "gone.toml"])
def test_an_unknown_preprocessing_suggests_nothing(preprocessing: str, tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    assert suggested(tmp_path, preprocessing) == ()
