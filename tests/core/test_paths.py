"""The output path: whole or not at all, and never somebody else's folder."""

from __future__ import annotations

from pathlib import Path

import pytest

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
def test_what_a_run_replaces_and_writes_is_never_the_source_nor_around_or_in_it(
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


def test_looking_for_a_place_leaves_nothing_there(tmp_path: Path) -> None:
    paths.output_path(tmp_path / "m.pt", "onnx", None)
    assert list(tmp_path.iterdir()) == []


def test_of_a_link_the_link_makes_way_and_not_what_it_points_to(tmp_path: Path) -> None:
    """`latest.html` that points to the page of a run before: that page was emptied."""
    (tmp_path / "first.html").write_bytes(b"of the first run" + paths.PAGE_MARK)
    link = tmp_path / "latest.html"
    link.symlink_to("first.html")
    paths.make_way("--report", link, (".html",), paths.PAGE_MARK)
    assert not link.is_symlink()
    assert (tmp_path / "first.html").read_bytes().startswith(b"of the first run")


def test_what_is_not_safeconverts_own_is_not_written_over_and_what_is_or_is_empty_makes_way(tmp_path: Path) -> None:
    for content, goes in ((b'{"labels": 1}', False), (b"", True), (b"{}\n", True), (b'{"mark": 1}', True)):
        place = tmp_path / "file.json"
        place.write_bytes(content)
        if goes:
            paths.make_way("--profile", place, (".json",), b'"mark"')
            assert not place.exists()
            continue
        with pytest.raises(UnusableInput, match="safeconvert did not write it as that"):
            paths.make_way("--profile", place, (".json",), b'"mark"')
        assert place.read_bytes() == content
    dangling = tmp_path / "link.json"
    dangling.symlink_to("nowhere.json")
    with pytest.raises(UnusableInput, match="did not write it"):
        paths.make_way("--profile", dangling, (".json",), b'"mark"')


def test_a_place_is_made_with_its_folders_and_holds_nothing(tmp_path: Path) -> None:
    place = tmp_path / "reports" / "run.html"
    paths.make_way("--report", place, (".html",), paths.PAGE_MARK)
    assert list(place.parent.iterdir()) == []
    place.mkdir()
    with pytest.raises(UnusableInput, match="did not write it"):
        paths.make_way("--report", place, (".html",), paths.PAGE_MARK)
