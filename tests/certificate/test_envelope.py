"""The envelope's file: any bytes that were not written are damage, and nothing hostile gets further than that."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safeconvert.certificate.check import Status, check
from safeconvert.certificate.envelope import (
    PAYLOAD_TYPE,
    Damaged,
    NotSigned,
    WrongSignature,
    read_payload,
    write_certificate,
)
from safeconvert.certificate.keys import generate_key
from safeconvert.certificate.statement import PREDICATE_TYPE, build_statement, parse_statement
from safeconvert.errors import UnusableInput

QUICK = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "key"
    generate_key(path)
    return path


def sealed(members: dict[str, Any]) -> bytes:
    """A file whose own digest is right, whatever it holds: what a forger can make."""
    plain = json.dumps(members, sort_keys=True, separators=(",", ":"))
    integrity = "sha256:" + hashlib.sha256(plain.encode()).hexdigest()
    return (json.dumps({**members, "integrity": integrity}, sort_keys=True, indent=1) + "\n").encode()


@QUICK
@given(content=JSON, signed=st.booleans())
def test_whatever_is_written_is_read_back_as_it_was(content: object, signed: bool, tmp_path: Path, key: Path) -> None:
    path = tmp_path / "c.json"
    statement = build_statement("t", "0" * 64, {"schema": 1, "content": content})
    write_certificate(path, statement, key if signed else None)
    payload = read_payload(path, key.with_name("key.pub") if signed else None)
    assert payload == statement
    read = parse_statement(payload, "c.json")["content"]
    assert json.dumps(read, sort_keys=True) == json.dumps(content, sort_keys=True)  # 1, 1.0 and True are three things
    assert [file.name for file in tmp_path.iterdir()] == ["c.json"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    edits=st.lists(st.tuples(st.integers(0, 10**5), st.binary(max_size=2), st.integers(0, 2)), min_size=1, max_size=3),
    signed=st.booleans(),
)
def test_bytes_changed_put_in_or_taken_out_are_never_read(
    edits: list[tuple[int, bytes, int]], signed: bool, tmp_path: Path, key: Path
) -> None:
    path = tmp_path / "c.json"
    write_certificate(path, build_statement("t", "0" * 64, {"schema": 1}), key if signed else None)
    whole = path.read_bytes()
    data = whole
    for position, new, taken in edits:
        place = position % (len(data) + 1)
        data = data[:place] + new + data[place + taken :]
    path.write_bytes(data)
    if data == whole:
        assert read_payload(path, None)
        return
    with pytest.raises((Damaged, UnusableInput)):
        read_payload(path, None)


@pytest.mark.parametrize("tail", [b"\n", b" ", b"\0", b"{}", b"\xff"])
def test_anything_behind_the_end_is_damage(tail: bytes, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    write_certificate(path, b"{}", None)
    path.write_bytes(path.read_bytes() + tail)
    with pytest.raises(Damaged):
        read_payload(path, None)


@pytest.mark.parametrize("cut", [1, 2, 50, 200])
def test_a_certificate_cut_short_is_damaged_and_not_unknown(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    write_certificate(path, build_statement("t", "0" * 64, {"schema": 1}), None)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(Damaged):
        read_payload(path, None)


@QUICK
@given(
    member=st.sampled_from(["payload", "payloadType", "signatures"]),
    value=JSON | st.lists(st.fixed_dictionaries({"keyid": JSON, "sig": JSON}), max_size=2),
)
def test_a_forged_member_is_damage_or_unusable_with_a_key_and_without(
    member: str, value: object, tmp_path: Path, key: Path
) -> None:
    path = tmp_path / "c.json"
    statement = build_statement("t", "0" * 64, {"schema": 1})
    members: dict[str, Any] = {
        "payload": base64.b64encode(statement).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [],
    }
    path.write_bytes(sealed(members | {member: value}))
    with pytest.raises((Damaged, UnusableInput, WrongSignature, NotSigned)):
        read_payload(path, key.with_name("key.pub"))


def test_a_forger_who_seals_the_file_again_is_caught_by_the_signature_alone(tmp_path: Path, key: Path) -> None:
    path = tmp_path / "c.json"
    write_certificate(path, build_statement("t", "0" * 64, {"schema": 1, "verdict": "not_equivalent"}), key)
    members = {name: value for name, value in json.loads(path.read_bytes()).items() if name != "integrity"}
    forged = build_statement("t", "0" * 64, {"schema": 1, "verdict": "verified"})
    path.write_bytes(sealed(members | {"payload": base64.b64encode(forged).decode()}))
    assert read_payload(path, None) == forged
    with pytest.raises(WrongSignature):
        read_payload(path, key.with_name("key.pub"))


def test_another_type_of_payload_is_no_certificate_also_where_it_is_signed(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    path.write_bytes(sealed({"payload": "", "payloadType": "text/plain", "signatures": []}))
    with pytest.raises(UnusableInput, match="text/plain"):
        read_payload(path, None)


@pytest.mark.parametrize("depth", [60, 500, 950, 990, 1000, 5000, 10**5])
def test_deep_nesting_ends_in_a_line_wherever_it_is(depth: int, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    nest = "[" * depth + "]" * depth
    path.write_text(f'{{"integrity": "", "payload": "", "payloadType": "", "signatures": {nest}}}')
    with pytest.raises((Damaged, UnusableInput)):
        read_payload(path, None)
    statement = (
        f'{{"predicate": {{"schema": 1, "reason": {nest}}}, "predicateType": "{PREDICATE_TYPE}", "subject": []}}'
    )
    write_certificate(path, statement.encode(), None)
    with pytest.raises(UnusableInput, match=r"c\.json: holds no safeconvert statement"):
        parse_statement(read_payload(path, None), "c.json")


@pytest.mark.parametrize("where", ["payload", "signature"])
def test_half_a_surrogate_pair_is_damage(where: str, tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    text = "\ud800" if where == "payload" else "plain"
    statement = {"predicateType": PREDICATE_TYPE, "subject": [], "predicate": {"schema": 1, "reason": text}}
    payload = base64.b64encode(json.dumps(statement).encode()).decode()
    signatures = [] if where == "payload" else [{"keyid": "\ud800", "sig": "eA=="}]
    path.write_bytes(sealed({"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": signatures}))
    with pytest.raises(Damaged, match="no Unicode"):
        read_payload(path, None)
    assert [item.status for item in check(path).items] == [Status.DAMAGED]


def test_a_file_too_large_for_a_certificate_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "c.json").open("wb") as file:
        file.truncate(65 << 20)
    with pytest.raises(UnusableInput, match="too large"):
        read_payload(tmp_path / "c.json", None)


def test_a_place_that_cannot_be_written_or_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "c.json").mkdir()
    for call in (
        lambda: write_certificate(tmp_path / "c.json", b"{}", None),
        lambda: read_payload(tmp_path / "c.json", None),
    ):
        with pytest.raises(UnusableInput, match=r"c\.json: cannot be"):
            call()
    assert [file.name for file in tmp_path.iterdir()] == ["c.json"]


def test_an_old_certificate_is_replaced(tmp_path: Path) -> None:
    for statement in (b"old" * 1000, b"new"):
        write_certificate(tmp_path / "c.json", statement, None)
    assert read_payload(tmp_path / "c.json", None) == b"new"
