"""Formats are told by content; nothing but UnusableInput comes of other files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from safeconvert.errors import UnusableInput
from safeconvert.formats import detect


def archive(path: Path, *names: str) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return path


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("config.json", "model.weights.h5", "metadata.json"), ("keras", "keras_v3")),
        (("m/archive_format", "m/models/model.json"), ("torch", "exported_program")),
        (("m/code/__torch__.py", "m/constants.pkl", "m/data.pkl"), ("torch", "torchscript")),
        (("m/data.pkl", "m/data/0"), ("torch", "pickle")),
    ],
)
def test_archives_are_told_by_their_members_whatever_their_name(
    names: tuple[str, ...], expected: tuple[str, str], tmp_path: Path
) -> None:
    for suffix in (".pt", ".onnx", ""):
        found = detect(archive(tmp_path / f"model{suffix}", *names))
        assert (found.format, found.variant) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"\x89HDF\r\n\x1a\n" + b"0" * 50, ("keras", "h5")),
        (b"\x1c\0\0\0TFL3" + b"0" * 50, ("tflite", "tflite")),
        (b"\x80\x02}q\x00.", ("torch", "pickle")),
    ],
)
def test_files_are_told_by_their_first_bytes(data: bytes, expected: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(data)
    found = detect(tmp_path / "m")
    assert (found.format, found.variant) == expected


def test_onnx_is_told_by_its_fields(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"])], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )  # fmt: skip
    data = helper.make_model(graph).SerializeToString()
    (tmp_path / "m.pb").write_bytes(data)
    assert detect(tmp_path / "m.pb").format == "onnx"
    assert onnx.load(tmp_path / "m.pb").graph.name == "g"
    (tmp_path / "cut").write_bytes(data[:-3])
    with pytest.raises(UnusableInput, match="cut"):
        detect(tmp_path / "cut")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200), head=st.sampled_from([b"", b"PK\x03\x04", b"\x08\x07", b"\x0a", b"\x89HDF"]))
def test_random_bytes_are_a_format_or_unusable(data: bytes, head: bytes, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(head + data)
    try:
        assert detect(tmp_path / "m").format in ("torch", "keras", "tf", "tflite", "onnx")
    except UnusableInput as error:
        assert str(tmp_path / "m") in error.message


def test_what_is_not_there_or_empty_or_a_plain_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    for name, says in (("gone", "no such file"), ("empty", "empty"), ("folder", "no SavedModel")):
        with pytest.raises(UnusableInput, match=says):
            detect(tmp_path / name)
