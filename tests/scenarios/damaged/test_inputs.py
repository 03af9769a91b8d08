"""Inputs, options and places that cannot be used: exit 2, one line that says what and where."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.command import ROOT, Called, safeconvert
from tests.scenarios.damaged.test_models import refused

pytestmark = pytest.mark.converters


def convert(whole: Path, folder: Path, *options: object, **environment: str) -> Called:
    called = safeconvert(
        "torch2onnx", whole / "script.pt", "-o", folder / "out.onnx", *options,
        **{"XDG_STATE_HOME": str(folder / "state"), **environment},
    )  # fmt: skip
    assert not (folder / "out.onnx").exists()
    return called


def test_pictures_that_cannot_be_read(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(folder / "a.png")
    (folder / "b.png").write_bytes((folder / "a.png").read_bytes()[:40])
    refused(convert(whole, tmp_path, "--inputs", folder, "--preprocessing", "torchvision"), "b.png")


def test_a_folder_without_pictures(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    refused(convert(whole, tmp_path, "--inputs", tmp_path / "none"), "none", "no image")


@pytest.mark.parametrize("shape", [(4, 8, 8, 3), (4, 3, 8), (4, 3, 9, 9), (0, 3, 8, 8)])
def test_arrays_of_another_shape(shape: tuple[int, ...], whole: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.zeros(shape, np.float32))
    refused(convert(whole, tmp_path, "--inputs", tmp_path / "x.npy", "--input-shape", "0,3,8,8"), "x.npy")


def test_arrays_that_hold_objects(whole: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    refused(convert(whole, tmp_path, "--inputs", tmp_path / "x.npy", "--input-shape", "0,3,8,8"), "x.npy")


def test_an_archive_with_missing_keys(whole: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz")
    refused(convert(whole, tmp_path, "--inputs", tmp_path / "x.npz", "--input-shape", "0,3,8,8"), "x.npz")


def test_a_truncated_archive(whole: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros((4, 3, 8, 8), np.float32))
    data = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "x.npz").write_bytes(data[: len(data) // 2])
    refused(convert(whole, tmp_path, "--inputs", tmp_path / "x.npz", "--input-shape", "0,3,8,8"), "x.npz")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--input-shape", "a,b"), "--input-shape"),
        (("--preprocessing", "torchvison"), "torchvison"),
        (("--route", "nobody"), "nobody"),
        (("--route", "onnx2torch"), "onnx2torch"),
        (("--comparator", "nearly"), "nearly"),
        (("--comparator", "no_such_module:f"), "no_such_module"),
        (("--key", "gone.pem"), "gone.pem"),
        (("--config", "gone.toml"), "gone.toml"),
        (("--tolerance", "x"), "--tolerance"),
        (("--target-layout", "sideways"), "sideways"),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_options_that_mean_nothing(options: tuple[str, ...], says: str, whole: Path, tmp_path: Path) -> None:
    extra = () if options[0] == "--input-shape" else ("--input-shape", "0,3,8,8", "--samples", "8")
    if options[0] == "--preprocessing":
        extra += ("--inputs", str(tmp_path))
    refused(convert(whole, tmp_path, *options, *extra), says)


def test_a_folder_that_cannot_be_written(whole: Path, tmp_path: Path) -> None:
    """A place below a plain file can be written by nobody, not even by root."""
    (tmp_path / "file").write_text("")
    called = safeconvert("torch2onnx", whole / "script.pt", "-o", tmp_path / "file" / "out.onnx")
    refused(called, "cannot be written")


def test_the_suffix_of_another_format(whole: Path, tmp_path: Path) -> None:
    refused(safeconvert("torch2onnx", whole / "script.pt", "-o", tmp_path / "out.keras"), "out.keras")


def test_a_command_for_another_format(whole: Path, tmp_path: Path) -> None:
    called = safeconvert("keras2onnx", whole / "script.pt", "-o", tmp_path / "out.onnx")
    refused(called, "holds a torch model (torchscript), not a keras one")


def test_a_full_disk(whole: Path, tmp_path: Path) -> None:
    """On a small file system of its own; skipped where none can be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        called = convert(whole, tmp_path, "--input-shape", "0,3,8,8", TMPDIR=str(disk))
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    refused(called, str(disk))


def test_a_full_disk_at_the_output(tmp_path: Path) -> None:
    """Placing a finished target fails as on a full disk; nothing, and nothing partial, is left there."""
    program = [sys.executable, str(Path(__file__).parent / "programs" / "small_files.py")]
    (tmp_path / "made").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "made" / "m.onnx").write_bytes(b"x" * 100_000)
    done = subprocess.run(
        [*program, str(tmp_path / "made" / "m.onnx"), str(tmp_path / "out" / "m.onnx")],
        capture_output=True, text=True, check=False, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert "m.onnx: cannot be written" in done.stdout
    assert list((tmp_path / "out").iterdir()) == []
