"""Publishing a target: last, whole, beside its certificate; what stood there comes back, is replaced, or lies aside."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safeconvert.certificate.digest import digest
from safeconvert.certificate.envelope import write_certificate
from safeconvert.certificate.statement import build_statement
from safeconvert.core.paths import certificate_path, evidence_path, remove, report_path
from safeconvert.errors import NoVerdict, UnusableInput
from safeconvert.pipeline.publication import Published, publish, withdraw

PAGE = "<!doctype html><title>verified: m – safeconvert</title>"


def made(folder: Path, text: str = "new", beside: tuple[str, ...] = (), name: str = "m.onnx") -> Path:
    """A target in a folder of its own; one whose name ends in `_saved_model` is a folder."""
    remove(folder)
    folder.mkdir()
    for each in beside:
        (folder / each).write_text(text)
    path = folder / name
    if name.endswith("_saved_model"):
        path.mkdir()
        path = path / "saved_model.pb"
    path.write_text(text)
    return folder / name


def certify(target: Path, path: Path, beside: tuple[str, ...] = ()) -> Path:
    """A certificate for a target that lies at `path`, and evidence."""
    evidence = evidence_path(certificate_path(target))
    evidence.write_bytes(b"evidence")
    files = [{"path": name, "sha256": digest(path.parent / name).sha256} for name in beside]
    content: dict[str, Any] = {
        "schema": 1,
        "written": True,
        "target": {"sha256": digest(path).sha256, "files": files},
        "evidence": {"path": evidence.name, "sha256": digest(evidence).sha256},
    }
    write_certificate(
        certificate_path(target), build_statement(target.name, content["target"]["sha256"], content), None
    )
    return certificate_path(target)


def put(path: Path, target: Path, beside: tuple[str, ...] = ()) -> Published:
    return publish(path, digest(path).sha256, target, lambda: certify(target, path, beside))


def contents(folder: Path) -> dict[str, str]:
    """Names and texts of all that lies in a folder but certificates and evidence."""
    return {
        entry.relative_to(folder).as_posix(): entry.read_text()
        for entry in folder.rglob("*")
        if entry.is_file() and not entry.name.endswith((".json", ".zip"))
    }


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def test_a_target_and_its_side_files_are_published_and_nothing_else_is_left(out: Path, tmp_path: Path) -> None:
    published = put(made(tmp_path / "made", beside=("m.data",)), out / "m.onnx")
    assert contents(out) == {"m.onnx": "new", "m.data": "new"}
    assert published.kept == () and published.certificate == out / "m.onnx.certificate.json"


def test_a_folder_is_published_whole(out: Path, tmp_path: Path) -> None:
    put(made(tmp_path / "made", name="m_saved_model"), out / "m_saved_model")
    assert contents(out) == {"m_saved_model/saved_model.pb": "new"}


@pytest.mark.parametrize("name", ["m.onnx", "m_saved_model"])
def test_what_safeconvert_wrote_is_replaced(name: str, out: Path, tmp_path: Path) -> None:
    put(made(tmp_path / "first", "first", ("m.data",), name), out / name, ("m.data",))
    report_path(certificate_path(out / name)).write_text(PAGE)
    assert put(made(tmp_path / "second", "second", name=name), out / name).kept == ()
    assert set(contents(out).values()) == {"second"}


@pytest.mark.parametrize("name", ["m.onnx", "m_saved_model"])
def test_a_file_of_the_users_lies_aside(name: str, out: Path, tmp_path: Path) -> None:
    made(out / "place", "the user's", name=name).rename(out / name)
    remove(out / "place")
    (kept,) = put(made(tmp_path / "made", name=name), out / name).kept
    assert kept.name == f"{name}.previous"
    assert contents(kept) == {"saved_model.pb": "the user's"} if kept.is_dir() else kept.read_text() == "the user's"
    put(made(tmp_path / "again", "again", name=name), out / name)
    assert kept.exists()


def test_a_target_that_was_edited_since_is_the_users(out: Path, tmp_path: Path) -> None:
    put(made(tmp_path / "made", name="m_saved_model"), out / "m_saved_model")
    (out / "m_saved_model" / "notes.txt").write_text("mine")
    kept = put(made(tmp_path / "second", "second", name="m_saved_model"), out / "m_saved_model").kept
    assert {path.name for path in kept} == {
        "m_saved_model.previous", "m_saved_model.previous.certificate.json", "m_saved_model.previous.evidence.zip",
    }  # fmt: skip
    assert (out / "m_saved_model.previous" / "notes.txt").read_text() == "mine"


def test_a_target_of_the_users_that_was_verified_where_it_lay_is_the_users(out: Path, tmp_path: Path) -> None:
    """`verify --certificate` names the file by its digest, as a conversion does, and did not write it."""
    target = out / "m.onnx"
    target.write_text("the user's")
    content = {"schema": 1, "target": {"sha256": digest(target).sha256, "files": []}}
    write_certificate(certificate_path(target), build_statement("m.onnx", content["target"]["sha256"], content), None)
    published = put(made(tmp_path / "made"), target)
    assert contents(out) == {"m.onnx": "new", "m.onnx.previous": "the user's"}
    assert out / "m.onnx.previous" in published.kept
    withdraw(out / "m.onnx.previous")
    assert (out / "m.onnx.previous").read_text() == "the user's"


def test_files_aside_are_never_replaced_either(out: Path, tmp_path: Path) -> None:
    for text in ("first", "second"):
        remove(certificate_path(out / "m.onnx"))
        (out / "m.onnx").write_text(text)
        put(made(tmp_path / "made"), out / "m.onnx")
    assert contents(out) == {"m.onnx": "new", "m.onnx.previous": "first", "m.onnx.previous-2": "second"}


def test_a_side_file_that_is_in_the_way_lies_aside(out: Path, tmp_path: Path) -> None:
    (out / "m.data").write_text("the user's")
    put(made(tmp_path / "made", beside=("m.data",)), out / "m.onnx")
    assert contents(out) == {"m.onnx": "new", "m.data": "new", "m.data.previous": "the user's"}


def test_a_page_of_the_users_lies_aside(out: Path, tmp_path: Path) -> None:
    put(made(tmp_path / "first", "first"), out / "m.onnx")
    (out / "m.onnx.report.html").write_text("<title>my notes</title>")
    put(made(tmp_path / "second", "second"), out / "m.onnx")
    assert contents(out) == {"m.onnx": "second", "m.onnx.previous.report.html": "<title>my notes</title>"}


def test_a_link_is_moved_and_what_it_points_to_is_not(out: Path, tmp_path: Path) -> None:
    (out / "kept.onnx").write_text("kept")
    (out / "m.onnx").symlink_to("kept.onnx")
    (out / "n.onnx").symlink_to(out / "n.onnx")
    for name in ("m.onnx", "n.onnx"):
        put(made(tmp_path / "made", name=name), out / name)
        assert not (out / name).is_symlink() and (out / name).read_text() == "new"
        assert (out / f"{name}.previous").is_symlink()
    assert (out / "kept.onnx").read_text() == "kept"


def test_a_target_that_is_not_what_was_verified_is_not_published(out: Path, tmp_path: Path) -> None:
    (out / "m.onnx").write_text("old")
    with pytest.raises(NoVerdict, match="changed after it was verified"):
        publish(made(tmp_path / "made"), "0" * 64, out / "m.onnx", lambda: pytest.fail("certified"))
    assert contents(out) == {"m.onnx": "old"} and len(list(out.iterdir())) == 1


def test_there_is_no_moment_with_a_target_and_no_certificate(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(made(tmp_path / "first", "first"), out / "m.onnx")
    real, seen = os.replace, []

    def watched(source: str, target: str) -> None:
        real(source, target)
        seen.append((out / "m.onnx").exists() <= certificate_path(out / "m.onnx").exists())

    path = made(tmp_path / "second", "second")
    monkeypatch.setattr(os, "replace", watched)
    put(path, out / "m.onnx")
    assert len(seen) > 3
    assert all(seen)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    beside=st.sets(st.sampled_from(["a.data", "b.data", "c"])),
    before=st.sampled_from(["nothing", "own", "user"]),
    fails=st.integers(0, 14),
    calls=st.sampled_from(["replace", "fsync"]),
    error=st.sampled_from([OSError(28, "No space left on device"), KeyboardInterrupt()]),
)
def test_a_publication_that_fails_at_any_point_leaves_all_as_it_was(
    beside: set[str], before: str, fails: int, calls: str, error: BaseException, tmp_path: Path
) -> None:
    """The call of the system that fails is chosen; one that is needed to bring back what was there may not."""
    out = tmp_path / "out"
    remove(out)
    out.mkdir()
    (out / "other").write_text("other")
    if before == "own":
        put(made(tmp_path / "first", "first", ("a.data",)), out / "m.onnx", ("a.data",))
    elif before == "user":
        (out / "m.onnx").write_text("the user's")
        (out / "a.data").write_text("the user's")
    path = made(tmp_path / "made", "new", tuple(sorted(beside)))
    earlier = {entry.name: entry.read_bytes() for entry in out.iterdir()}
    real, count = getattr(os, calls), iter(range(1000))
    failed = []

    def failing(*arguments: object) -> None:
        if not failed and next(count) == fails:
            failed.append(True)
            raise error
        real(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, calls, failing)
        try:
            put(path, out / "m.onnx")
        except (UnusableInput, KeyboardInterrupt):
            assert failed
    if failed:
        assert {entry.name: entry.read_bytes() for entry in out.iterdir()} == earlier
    else:
        assert (out / "m.onnx").read_text() == "new" and certificate_path(out / "m.onnx").exists()


def test_withdraw_takes_only_what_safeconvert_wrote(out: Path, tmp_path: Path) -> None:
    (out / "other").write_text("other")
    put(made(tmp_path / "made"), out / "m.onnx")
    withdraw(out / "m.onnx")
    assert [entry.name for entry in out.iterdir()] == ["other"]
    (out / "m.onnx").write_text("the user's")
    withdraw(out / "m.onnx")
    put(made(tmp_path / "made"), out / "n.onnx")
    (out / "n.onnx").write_text("edited")
    withdraw(out / "n.onnx")
    assert contents(out) == {"other": "other", "m.onnx": "the user's", "n.onnx": "edited"}
