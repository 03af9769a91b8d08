"""The output path: whole or not at all, and never somebody else's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from safeconvert import output
from safeconvert.errors import UnusableInput


def test_the_target_lies_beside_its_source_with_the_formats_suffix(tmp_path: Path) -> None:
    for target, name in (("torch", "m.pt2"), ("keras", "m.keras"), ("tf", "m_saved_model"), ("tflite", "m.tflite")):
        assert output.output_path(tmp_path / "m.onnx", target, None) == tmp_path / name


@pytest.mark.parametrize(
    ("target", "asked"), [("keras", "m.onnx"), ("tf", "m.pb"), ("onnx", "m"), ("tflite", "m.keras")]
)
def test_a_suffix_of_another_format_is_refused(target: str, asked: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match=asked):
        output.output_path(tmp_path / "source.pt", target, tmp_path / asked)


def test_the_source_is_never_the_output(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_text("x")
    (tmp_path / "link.onnx").symlink_to(tmp_path / "m.onnx")
    for name in ("m.onnx", "link.onnx"):
        with pytest.raises(UnusableInput, match="source itself"):
            output.output_path(tmp_path / "m.onnx", "onnx", tmp_path / name)


def test_a_folder_that_is_no_saved_model_is_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_text("x")
    with pytest.raises(UnusableInput, match="stands at the output path"):
        output.output_path(tmp_path / "m.pt", "tf", folder)
    (folder / "saved_model.pb").write_text("x")
    assert output.output_path(tmp_path / "m.pt", "tf", folder) == folder


def test_a_file_and_its_side_files_are_placed_and_nothing_else_is_left(tmp_path: Path) -> None:
    made, out = tmp_path / "made", tmp_path / "out"
    made.mkdir()
    out.mkdir()
    (made / "m.onnx").write_text("new")
    (made / "m.data").write_text("weights")
    (out / "m.onnx").write_text("old")
    output.place(made / "m.onnx", out / "m.onnx")
    assert {path.name: path.read_text() for path in out.iterdir()} == {"m.onnx": "new", "m.data": "weights"}


def test_a_folder_is_placed_whole(tmp_path: Path) -> None:
    made = tmp_path / "made" / "m_saved_model"
    (made / "variables").mkdir(parents=True)
    (made / "saved_model.pb").write_text("x")
    target = tmp_path / "m_saved_model"
    target.mkdir()
    (target / "old").write_text("x")
    output.place(made, target)
    assert sorted(path.name for path in target.iterdir()) == ["saved_model.pb", "variables"]


def test_clear_takes_the_target_its_certificate_and_the_rejected_away(tmp_path: Path) -> None:
    names = ["m.onnx", "m.onnx.certificate.json", "m.onnx.rejected", "m.onnx.rejected.certificate.json", "other"]
    for name in names:
        (tmp_path / name).write_text("x")
    output.clear(tmp_path / "m.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
