"""Formats are told by content; nothing but UnusableInput comes of other files."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import onnx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from safeconvert.core.formats import detect
from safeconvert.errors import UnusableInput


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


def sealed(*names: str) -> bytes:
    """An archive of stored members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name in names:
            made.writestr(name, "x")
    return file.getvalue()


WHOLE = {
    "zip": sealed("m/config.json", "m/ü.h5"),
    "frozen": b"\x0a\x07\x0a\x01x\x12\x02Nn" + b"\x22\x02\x08\x01",
    "onnx": b"\x08\x08" + b"\x3a\x03\x12\x01g" + b"\x42\x02\x10\x11",
}


@pytest.mark.parametrize(("name", "variant"), [("frozen", "frozen_graph"), ("onnx", "onnx")])
def test_a_protobuf_is_told_by_its_fields_and_not_when_cut(name: str, variant: str, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(WHOLE[name])
    assert detect(tmp_path / "m").variant == variant
    (tmp_path / "m").write_bytes(WHOLE[name][:-1])
    with pytest.raises(UnusableInput, match="not a model file"):
        detect(tmp_path / "m")


@pytest.mark.parametrize("field", [b"\x15\0\0", b"\x19" + bytes(7), b"\x08\x80", b"\x0b", b"\x00\x01", b"\x0a\x7f"])
def test_a_field_that_reaches_past_the_end_is_no_protobuf(field: bytes, tmp_path: Path) -> None:
    (tmp_path / "m").write_bytes(WHOLE["frozen"] + field)
    with pytest.raises(UnusableInput, match="not a model file"):
        detect(tmp_path / "m")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    whole=st.sampled_from(sorted(WHOLE)),
    changes=st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), max_size=3),
    cut=st.integers(1, 10**4),
)
@example(
    whole="zip", changes=[(WHOLE["zip"].index("ü".encode()), 0xE7), (WHOLE["zip"].rindex("ü".encode()), 0xE7)], cut=9999
)
def test_a_damaged_file_is_a_format_or_unusable(
    whole: str, changes: list[tuple[int, int]], cut: int, tmp_path: Path
) -> None:
    data = bytearray(WHOLE[whole])
    for position, value in changes:
        data[position % len(data)] = value
    (tmp_path / "m").write_bytes(data[:cut])
    try:
        assert detect(tmp_path / "m").path == tmp_path / "m"
    except UnusableInput as error:
        assert str(tmp_path / "m") in error.message


def test_a_pipe_or_device_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(UnusableInput, match="neither a file nor a folder"):
            detect(path)


def test_a_link_that_leads_to_itself_and_a_file_taken_for_a_folder(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "loop", tmp_path / "file" / "m.pt", tmp_path / ("x" * 5000)):
        with pytest.raises(UnusableInput, match="cannot be read"):
            detect(path)


def test_a_saved_model_is_a_folder_with_a_graph_in_it(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"x")
    assert (detect(tmp_path).format, detect(tmp_path).variant) == ("tf", "saved_model")
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(UnusableInput, match=r"saved_model\.pb: the file is empty"):
        detect(tmp_path)


def test_a_text_file_or_picture_is_no_model(tmp_path: Path) -> None:
    for data in (
        b"hello",
        b"{}",
        b"#!/bin/sh\n",
        b"\x89PNG\r\n\x1a\n" + bytes(50),
        b"\xff\xd8\xff\xe0",
        bytes(100),
        b"TFL3",
    ):
        (tmp_path / "m.onnx").write_bytes(data)
        with pytest.raises(UnusableInput, match=r"m\.onnx: not a model file"):
            detect(tmp_path / "m.onnx")
    with pytest.raises(UnusableInput, match="not a model file"):
        detect(archive(tmp_path / "m.pt", "word/document.xml"))
