"""The output path: whole or not at all, and never somebody else's folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safeconvert.core import paths
from safeconvert.errors import UnusableInput


def test_the_target_lies_beside_its_source_with_the_formats_suffix(tmp_path: Path) -> None:
    for target, name in (("torch", "m.pt2"), ("keras", "m.keras"), ("tf", "m_saved_model"), ("tflite", "m.tflite")):
        assert paths.output_path(tmp_path / "m.onnx", target, None) == tmp_path / name


@pytest.mark.parametrize(
    ("target", "asked"), [("keras", "m.onnx"), ("tf", "m.pb"), ("onnx", "m"), ("tflite", "m.keras")]
)
def test_a_suffix_of_another_format_is_refused(target: str, asked: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match=asked):
        paths.output_path(tmp_path / "source.pt", target, tmp_path / asked)


def test_the_source_is_never_the_output(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_text("x")
    (tmp_path / "link.onnx").symlink_to(tmp_path / "m.onnx")
    for name in ("m.onnx", "link.onnx"):
        with pytest.raises(UnusableInput, match="source itself"):
            paths.output_path(tmp_path / "m.onnx", "onnx", tmp_path / name)


def test_a_folder_that_is_no_saved_model_is_never_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "a.jpg").write_text("x")
    with pytest.raises(UnusableInput, match="stands at the output path"):
        paths.output_path(tmp_path / "m.pt", "tf", folder)
    (folder / "saved_model.pb").write_text("x")
    assert paths.output_path(tmp_path / "m.pt", "tf", folder) == folder


def test_a_file_and_its_side_files_are_placed_and_nothing_else_is_left(tmp_path: Path) -> None:
    made, out = tmp_path / "made", tmp_path / "out"
    made.mkdir()
    out.mkdir()
    (made / "m.onnx").write_text("new")
    (made / "m.data").write_text("weights")
    (out / "m.onnx").write_text("old")
    paths.place(made / "m.onnx", out / "m.onnx")
    assert {path.name: path.read_text() for path in out.iterdir()} == {"m.onnx": "new", "m.data": "weights"}


def test_a_folder_is_placed_whole(tmp_path: Path) -> None:
    made = tmp_path / "made" / "m_saved_model"
    (made / "variables").mkdir(parents=True)
    (made / "saved_model.pb").write_text("x")
    target = tmp_path / "m_saved_model"
    target.mkdir()
    (target / "old").write_text("x")
    paths.place(made, target)
    assert sorted(path.name for path in target.iterdir()) == ["saved_model.pb", "variables"]


def test_clear_takes_the_target_its_certificate_and_the_rejected_away(tmp_path: Path) -> None:
    names = ["m.onnx", "m.onnx.certificate.json", "m.onnx.rejected", "m.onnx.rejected.certificate.json", "other"]
    for name in names:
        (tmp_path / name).write_text("x")
    paths.clear(tmp_path / "m.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


@pytest.mark.parametrize(
    ("source", "target", "asked"),
    [
        ("saved/m.onnx", "tf", "saved"),
        ("saved/variables/m.onnx", "tf", "saved"),
        ("saved/m.onnx", "tf", "link"),
        ("saved", "onnx", "saved/m.onnx"),
        ("link", "onnx", "saved/variables/m.onnx"),
        ("saved", "tf", "saved/inner"),
        ("m.onnx.rejected", "onnx", "m.onnx"),
        ("m.onnx.certificate.json", "onnx", "m.onnx"),
        ("m.tf.rejected/m.onnx", "tf", "m.tf"),
    ],
)
def test_what_a_run_clears_and_writes_is_never_the_source_nor_around_or_in_it(
    source: str, target: str, asked: str, tmp_path: Path
) -> None:
    (tmp_path / "saved" / "variables").mkdir(parents=True)
    (tmp_path / "saved" / "saved_model.pb").write_text("x")
    (tmp_path / "link").symlink_to("saved")
    if not (tmp_path / source).exists():
        (tmp_path / source).parent.mkdir(exist_ok=True)
        (tmp_path / source).write_text("x")
    with pytest.raises(UnusableInput, match="source"):
        paths.output_path(tmp_path / source, target, tmp_path / asked)


def test_a_name_that_only_begins_like_the_sources_is_free(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    assert paths.output_path(tmp_path / "m", "onnx", tmp_path / "m.onnx") == tmp_path / "m.onnx"


def test_a_link_that_leads_to_itself_is_replaced(tmp_path: Path) -> None:
    target = tmp_path / "m.onnx"
    target.symlink_to(target)
    assert paths.output_path(tmp_path / "m.pt", "onnx", target) == target
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "m.onnx").write_text("new")
    paths.place(tmp_path / "made" / "m.onnx", target)
    assert not target.is_symlink() and target.read_text() == "new"


def test_a_link_at_the_output_is_removed_and_what_it_points_to_is_not(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "saved_model.pb").write_text("x")
    (tmp_path / "m_saved_model").symlink_to("kept")
    paths.clear(tmp_path / "m_saved_model")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"] and (tmp_path / "kept" / "saved_model.pb").exists()


def test_looking_for_a_place_leaves_nothing_there(tmp_path: Path) -> None:
    paths.output_path(tmp_path / "m.pt", "onnx", None)
    assert list(tmp_path.iterdir()) == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    made=st.sets(st.sampled_from(["m.onnx", "a.data", "b.data", "c"]), min_size=1).filter(
        lambda made: "m.onnx" in made
    ),
    fails=st.integers(0, 9),
    calls=st.sampled_from(["replace", "fsync"]),
)
def test_a_placing_that_fails_at_any_point_leaves_nothing_of_the_target(
    made: set[str], fails: int, calls: str, tmp_path: Path
) -> None:
    """The call of the system that fails is chosen; all that was there of others stays as it was."""
    paths.remove(tmp_path / "made")
    paths.remove(tmp_path / "out")
    for folder in ("made", "out"):
        (tmp_path / folder).mkdir()
    for name in made:
        (tmp_path / "made" / name).write_text("new")
    (tmp_path / "out" / "other").write_text("other")
    real, count = getattr(os, calls), iter(range(100))

    def failing(*arguments: object) -> None:
        if next(count) == fails:
            raise OSError(28, "No space left on device")
        real(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, calls, failing)
        if fails >= len(made):
            paths.place(tmp_path / "made" / "m.onnx", tmp_path / "out" / "m.onnx")
        else:
            with pytest.raises(UnusableInput, match=r"m\.onnx: cannot be written: No space"):
                paths.place(tmp_path / "made" / "m.onnx", tmp_path / "out" / "m.onnx")
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == {"other"} | (made if fails >= len(made) else set())
