"""Damaged and hostile model files: exit 2, one line that says what and where, no traceback, nothing at the output."""

from __future__ import annotations

import os
import pickle
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from tests.command import Called, safeconvert
from tests.slow import first_of_every

pytestmark = pytest.mark.converters

FILES = ("script.pt", "program.pt2", "weights.pth", "model.onnx", "model.keras", "model.h5", "model.tflite", "saved")
"""One of each form of each format."""


def truncated(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def empty(data: bytes) -> bytes:
    return b""


def wrong_magic(data: bytes) -> bytes:
    return b"\0\0\0\0\0\0\0\0" + data[8:]


def noise(data: bytes) -> bytes:
    return random.Random(5).randbytes(len(data))


def scrambled(data: bytes) -> bytes:
    """The ends are whole, so that the format is told; the middle is random."""
    middle = slice(len(data) // 4, len(data) * 3 // 4)
    return data[: middle.start] + random.Random(7).randbytes(middle.stop - middle.start) + data[middle.stop :]


def refused(called: Called, *says: str) -> None:
    """One error line on stderr that says it, exit 2."""
    assert called.code == 2, called.text
    assert called.out == ""
    lines = called.err.splitlines()
    assert lines[0].startswith("error: ")
    assert all(line.startswith("  ") for line in lines[1:]) and len(lines) <= 3
    assert "Traceback" not in called.text
    for words in says:
        assert words in lines[0]


def convert(model: Path, folder: Path, *options: object) -> Called:
    target = folder / ("out.tflite" if model.suffix == ".onnx" else "out.onnx")
    called = safeconvert(
        "convert", model, "--to", target.suffix[1:], "-o", target, "--samples", "8", *options,
        XDG_STATE_HOME=str(folder / "state"),
    )  # fmt: skip
    if called.code:
        assert not target.exists()
    return called


@pytest.mark.parametrize(
    "damage", first_of_every(2, [truncated, empty, wrong_magic, noise]), ids=lambda damage: damage.__name__
)
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_refused(name: str, damage: Callable[[bytes], bytes], whole: Path, tmp_path: Path) -> None:
    model = tmp_path / name
    if (whole / name).is_dir():
        shutil.copytree(whole / name, model)
        damaged = model / "saved_model.pb"
    else:
        damaged = model
    damaged.write_bytes(damage(Path(whole / name / "saved_model.pb" if model.is_dir() else whole / name).read_bytes()))
    refused(convert(model, tmp_path), str(model))


@pytest.mark.parametrize("name", ["script.pt", "model.onnx", "model.keras", "model.tflite"])
def test_a_file_with_a_random_middle_is_refused_or_fails_cleanly(name: str, whole: Path, tmp_path: Path) -> None:
    model = tmp_path / name
    model.write_bytes(scrambled((whole / name).read_bytes()))
    called = convert(model, tmp_path)
    assert called.code in (2, 3, 4), called.text
    assert "Traceback" not in called.text and called.text.count("\n") <= 12


def test_variables_of_a_saved_model_that_are_gone(whole: Path, tmp_path: Path) -> None:
    model = tmp_path / "saved"
    shutil.copytree(whole / "saved", model)
    shutil.rmtree(model / "variables")
    refused(convert(model, tmp_path), str(model))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    refused(convert(tmp_path / "gone.keras", tmp_path), "gone.keras", "no such file")


def test_a_pickled_module_is_refused_and_its_code_never_runs(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.system, (f"touch {tmp_path / 'ran'}",)

    model = tmp_path / "evil.pt"
    model.write_bytes(pickle.dumps(Evil(), protocol=2))
    refused(convert(model, tmp_path), "evil.pt")
    assert not (tmp_path / "ran").exists()


def test_external_data_outside_the_folder_is_refused(whole: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"\1" * 4096)
    (tmp_path / "in").mkdir()
    model = onnx.load(whole / "model.onnx")
    tensor = model.graph.initializer[0]
    size = len(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "../secret"), ("offset", "0"), ("length", str(size))):
        tensor.external_data.add(key=key, value=value)
    path = tmp_path / "in" / "model.onnx"
    path.write_bytes(model.SerializeToString())
    refused(convert(path, tmp_path), "model.onnx", tensor.name, "outside the model's folder")


def test_external_data_that_is_missing(whole: Path, tmp_path: Path) -> None:
    model = onnx.load(whole / "model.onnx")
    onnx.save(model, tmp_path / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    (tmp_path / "weights.bin").unlink()
    refused(convert(tmp_path / "model.onnx", tmp_path), "model.onnx", "weights.bin")


def test_a_state_dict_needs_a_model_and_the_right_one(whole: Path, tmp_path: Path) -> None:
    refused(convert(whole / "weights.pth", tmp_path), "weights.pth")
    (tmp_path / "factory.py").write_text("import torch\n\ndef build():\n    return torch.nn.Linear(3, 2)\n")
    called = safeconvert(
        "torch2onnx", whole / "weights.pth", "-o", tmp_path / "out.onnx", "--model", "factory:build", cwd=tmp_path,
        XDG_STATE_HOME=str(tmp_path / "state"),
    )  # fmt: skip
    refused(called, "weights.pth")
