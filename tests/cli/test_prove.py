"""`prove` and `check --proof`: what they print, their exit codes, and proofs that were altered."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from safeconvert.certificate.archive import pack, unpack
from safeconvert.certificate.envelope import write_certificate
from tests.command import safeconvert
from tests.verification.test_proof import small


def test_a_proof_is_printed_step_by_step(tmp_path: Path) -> None:
    called = safeconvert("prove", small(tmp_path / "a.onnx", False), small(tmp_path / "b.onnx", True))
    assert called.code == 0, called.text
    assert called.out.startswith("proven end to end")
    assert "for every input x of the shape [97, 4]" in called.out
    assert "by clips" in called.out and "axiom products with a matrix: in 1 step" in called.out


def test_what_is_not_proven_is_no_verdict_and_named(tmp_path: Path) -> None:
    called = safeconvert(
        "prove", small(tmp_path / "a.onnx", False), small(tmp_path / "b.onnx", True, halves=True), "--json"
    )
    assert called.code == 4 and called.json["proof"]["level"] == "sampled" and not called.json["object"]
    [one] = called.json["proof"]["unproven"]
    assert one["operator"] == "Abs" and one["source"] == ["Relu n3"] and "no axiom" in one["missing"]


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certified")
    certificate = folder / "b.certificate.json"
    source, target = small(folder / "a.onnx", False), small(folder / "b.onnx", True)
    called = safeconvert("verify", source, target, "--certificate", certificate)
    assert called.code == 0 and "proven end to end" in called.out, called.text
    return certificate


def copied(certificate: Path, folder: Path) -> Path:
    for name in ("a.onnx", "b.onnx", "b.evidence.zip", certificate.name):
        (folder / name).write_bytes((certificate.parent / name).read_bytes())
    return folder / certificate.name


def forge(certificate: Path, alter: Callable[[dict[str, Any], dict[str, Any]], None]) -> None:
    """Write certificate and evidence again with another proof, as anyone can without a key."""
    evidence = certificate.with_name("b.evidence.zip")
    content = unpack(evidence.read_bytes(), "evidence")
    proof = json.loads(content.files["proof.json"])
    statement = json.loads(base64.b64decode(json.loads(certificate.read_text())["payload"]))
    alter(proof, statement["predicate"])
    data = pack(type(content)({"along": []}, {"proof.json": json.dumps(proof).encode()}))
    evidence.write_bytes(data)
    statement["predicate"]["evidence"]["sha256"] = hashlib.sha256(data).hexdigest()
    write_certificate(certificate, json.dumps(statement).encode(), None)


FORGERIES: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
    "an axiom less": lambda proof, _: proof["steps"][0]["axioms"].pop(),
    "an axiom more": lambda proof, _: proof["steps"][0]["axioms"].append("clips"),
    "constants nearer": lambda proof, _: proof["steps"][0].update(apart=0.0),
    "a step less": lambda proof, _: proof["steps"].pop(0),
    "another order of axes": lambda proof, _: proof["statement"]["inputs"][0].update(order=[1, 0]),
    "other sizes": lambda _, predicate: predicate["proof"]["sizes"].update(x=[1, 4]),
    "constants nearer in the certificate": lambda _, predicate: predicate["proof"].update(apart=0.0),
    "nothing": lambda proof, _: proof.clear(),
}


@pytest.mark.slow
@pytest.mark.parametrize("how", list(FORGERIES))
def test_a_forged_proof_is_refused(how: str, certified: Path, tmp_path: Path) -> None:
    certificate = copied(certified, tmp_path)
    forge(certificate, FORGERIES[how])
    called = safeconvert("check", "--proof", certificate)
    assert called.code == 1 and "proof refused" in called.out, called.text


def test_a_proof_is_verified_again_from_the_files(certified: Path) -> None:
    called = safeconvert("check", "--proof", certified)
    assert called.code == 0 and "proof holds: 3 steps" in called.out, called.text


def test_a_certificate_without_a_proof_says_so(tmp_path: Path) -> None:
    certificate = tmp_path / "same.certificate.json"
    source, target = small(tmp_path / "a.onnx", False), small(tmp_path / "b.onnx", False)
    assert safeconvert("verify", source, target, "--certificate", certificate).code == 0
    called = safeconvert("check", "--proof", certificate)
    assert called.code == 1 and "there is no proof" in called.out and "nothing to prove" in called.out
