"""Certificates: round trip, flipped bytes, keys, folders, hostile files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.console import Console

from safeconvert.certificate.check import Status, check, read_certificate
from safeconvert.certificate.digest import digest
from safeconvert.certificate.envelope import write_certificate
from safeconvert.certificate.keys import generate_key
from safeconvert.certificate.statement import build_statement, parse_statement
from safeconvert.errors import NotEquivalent, UnusableInput
from safeconvert.report.certificate import render


def certify(folder: Path, key: Path | None = None, **more: object) -> Path:
    """A certificate for two small files."""
    folder.mkdir(exist_ok=True)
    for name in ("source.pt", "target.onnx"):
        (folder / name).write_bytes(name.encode() * 20)
    predicate = {
        "schema": 1,
        "verdict": "verified",
        "reason": "equal",
        "source": {
            "path": "source.pt",
            "sha256": digest(folder / "source.pt").sha256,
            "kind": "file",
            "format": "torch",
        },
        "target": {
            "path": "target.onnx",
            "sha256": digest(folder / "target.onnx").sha256,
            "kind": "file",
            "format": "onnx",
        },
        "verification": {"samples": 7, "max_abs": 1e-7, "nothing": None, "list": [1, 2.5, "x", True]},
        **more,
    }
    path = folder / "target.onnx.certificate.json"
    write_certificate(path, build_statement("target.onnx", predicate["target"]["sha256"], predicate), key)
    return path


def failed(path: Path, **asked: object) -> list[str]:
    return [item.path.name for item in check(path, **asked).items if not item.ok]


def test_what_is_written_is_read_integers_stay_integers(tmp_path: Path) -> None:
    content = read_certificate(certify(tmp_path))
    assert content["verification"] == {"samples": 7, "max_abs": 1e-7, "nothing": None, "list": [1, 2.5, "x", True]}
    assert isinstance(content["verification"]["samples"], int)


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    one, two = certify(tmp_path / "a"), certify(tmp_path / "b")
    assert one.read_bytes() == two.read_bytes()


def test_it_is_a_dsse_envelope_around_an_in_toto_statement(tmp_path: Path) -> None:
    import base64

    envelope = json.loads(certify(tmp_path).read_text())
    assert envelope["payloadType"] == "application/vnd.in-toto+json"
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["subject"][0]["name"] == "target.onnx" and "sha256" in statement["subject"][0]["digest"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, 10**6), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_in_the_certificate_is_found(position: int, bit: int, tmp_path: Path) -> None:
    path = certify(tmp_path)
    data = bytearray(path.read_bytes())
    data[position % len(data)] ^= 1 << bit
    path.write_bytes(bytes(data))
    try:
        assert failed(path) == [path.name]
    except UnusableInput as error:
        assert path.name in error.message  # so broken that it is no certificate any more


@pytest.mark.parametrize("name", ["source.pt", "target.onnx"])
def test_a_changed_or_missing_file_is_named(name: str, tmp_path: Path) -> None:
    path = certify(tmp_path)
    assert failed(path) == []
    data = bytearray((tmp_path / name).read_bytes())
    data[5] ^= 1
    (tmp_path / name).write_bytes(bytes(data))
    assert failed(path) == [name]
    (tmp_path / name).unlink()
    assert failed(path) == [name]


def test_the_source_can_be_left_out(tmp_path: Path) -> None:
    path = certify(tmp_path)
    (tmp_path / "source.pt").unlink()
    assert failed(path, target_only=True) == []


def test_a_verdict_that_is_not_verified_does_not_pass(tmp_path: Path) -> None:
    report = check(certify(tmp_path, verdict="not_equivalent"))
    assert not report.ok and report.items[0].status is Status.NOT_VERIFIED


def test_a_signature_binds_the_bytes_to_a_key(tmp_path: Path) -> None:
    for name in ("one", "two"):
        generate_key(tmp_path / name)
    path = certify(tmp_path / "made", tmp_path / "one")
    assert check(path, tmp_path / "one.pub").ok
    assert [item.status for item in check(path, tmp_path / "two.pub").items] == [Status.WRONG_SIGNATURE]
    with pytest.raises(NotEquivalent):
        read_certificate(path, tmp_path / "two.pub")
    plain = certify(tmp_path / "plain")
    assert [item.status for item in check(plain, tmp_path / "one.pub").items] == [Status.NOT_SIGNED]


def test_a_key_is_never_overwritten_and_the_private_one_is_private(tmp_path: Path) -> None:
    generate_key(tmp_path / "k")
    assert (tmp_path / "k").stat().st_mode & 0o077 == 0
    with pytest.raises(UnusableInput, match="exists already"):
        generate_key(tmp_path / "k")
    (tmp_path / "other").write_text("not a key")
    with pytest.raises(UnusableInput, match="not a private key"):
        certify(tmp_path / "made", tmp_path / "other")


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "x" * 100, "[" * 100_000, '{"payload": 1}'])
def test_another_file_is_no_certificate(text: str, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_text(text)
    with pytest.raises(UnusableInput, match=r"c\.json"):
        check(path)


def test_a_newer_schema_asks_for_an_update(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="newer safeconvert"):
        check(certify(tmp_path, schema=99))


def test_an_absolute_path_is_not_followed(tmp_path: Path) -> None:
    entry = {"path": "/etc/passwd", "sha256": "0" * 64, "kind": "file", "format": "torch"}
    report = check(certify(tmp_path, source=entry))
    assert [item.status for item in report.items if not item.ok] == [Status.OUTSIDE]


def test_numbers_that_are_not_finite_are_not_written() -> None:
    with pytest.raises(ValueError):
        build_statement("t", "0" * 64, {"schema": 1, "x": float("nan")})


def test_statements_of_others_are_refused() -> None:
    payload = json.loads(build_statement("t", "0" * 64, {"schema": 1}))
    payload["predicateType"] = "https://example.com/other"
    with pytest.raises(UnusableInput, match="another type"):
        parse_statement(json.dumps(payload).encode(), "c.json")


def test_a_folder_is_hashed_by_names_and_content(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    (folder / "variables").mkdir(parents=True)
    (folder / "a").write_text("1")
    (folder / "variables" / "b").write_text("2")
    first = digest(folder)
    assert first.kind == "folder" and digest(folder) == first
    (folder / "a").rename(folder / "c")
    assert digest(folder).sha256 != first.sha256
    (folder / "c").rename(folder / "a")
    (folder / "a").write_text("3")
    assert digest(folder).sha256 != first.sha256
    (folder / "a").write_text("1")
    (folder / "out").symlink_to("/etc/passwd")
    with pytest.raises(UnusableInput, match="leads out"):
        digest(folder)


def test_a_pipe_has_no_digest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnusableInput, match="neither a file nor a folder"):
        digest(tmp_path / "pipe")


def test_show_fits_80_columns_and_prints_no_control_characters(tmp_path: Path) -> None:
    content = read_certificate(certify(tmp_path, reason="ok \x1b[31mred\x07 [bold]x[/] \u202e"))
    console = Console(width=80, record=True, file=open(os.devnull, "w"))  # noqa: SIM115
    render(content, console)
    text = console.export_text()
    assert "\x1b" not in text and "\x07" not in text and "\u202e" not in text and "[bold]x[/]" in text
    assert max(map(len, text.splitlines())) <= 80
