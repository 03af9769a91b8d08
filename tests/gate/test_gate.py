"""What passes a gate and what does not, with real certificates of small files."""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from safeconvert.certificate.digest import digest
from safeconvert.certificate.envelope import write_certificate
from safeconvert.certificate.keys import generate_key, public_part
from safeconvert.certificate.statement import build_statement
from safeconvert.config.gate_settings import GateSettings, Signer
from safeconvert.config.settings import load_settings
from safeconvert.errors import UnusableInput
from safeconvert.gate.acknowledged import read_accepted
from safeconvert.gate.find import find
from safeconvert.gate.judge import Gate, judge
from tests.command import safeconvert

NOW = datetime(2026, 11, 29, tzinfo=UTC)
OBLIGATION = "input x: target takes the source's dimensions in the order [0, 2, 3, 1]"


def model(path: Path, text: str = "a") -> Path:
    """A small ONNX file; another text, another file."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [value], [out])
    made = helper.make_model(graph)
    made.doc_string = text
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(made, path)
    return path


def saved_model(folder: Path) -> Path:
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"\x08\x01")
    (folder / "variables" / "variables.index").write_bytes(bytes(10))
    return folder


def entry(path: Path, folder: Path) -> dict[str, Any]:
    found = digest(path)
    return {"path": os.path.relpath(path, folder), "sha256": found.sha256, "kind": found.kind}


def figures(samples: int = 20, **members: Any) -> dict[str, Any]:
    """Figures of a pair that agrees on every input."""
    outputs = [{"name": "y", "comparator": "allclose", "disagreements": 0, "max_abs": 1e-7}]
    return {
        "samples": samples, "disagreements": 0, "discrepancy": 0.0, "upper_bound": 1 - 0.05 ** (1 / samples), "ties": 0,
        "nonfinite": 0, "beyond_tolerance": 0, "max_abs": 1e-7, "mean_abs": 1e-8, "relative": 1e-7, "equal": True,
        "outputs": outputs, **members,
    }  # fmt: skip


def comparator(**members: Any) -> dict[str, Any]:
    """What the figures were judged by."""
    return {
        "name": "by output", "tolerances": {"rtol": 1e-4, "atol": 1e-5}, "per_output": {}, "top_k": 5,
        "cosine_threshold": 1e-6, "max_discrepancy": 0.0, **members,
    }  # fmt: skip


def certify(target: Path, source: Path, key: Path | None = None, place: Path | None = None, **members: Any) -> Path:
    """The certificate of a target, beside it unless a place is given."""
    path = place or target.with_name(f"{target.name}.certificate.json")
    pair = members.pop("figures", figures())
    content = {
        "schema": 1, "verdict": "verified", "obligations": [], "source": entry(source, path.parent),
        "target": entry(target, path.parent), "inputs": {"held_out": pair["samples"]}, "comparator": comparator(),
        "verification": {"source native vs target native": pair}, "made": "2026-11-20T12:00:00+00:00", **members,
    }  # fmt: skip
    if key is not None:
        content.setdefault("signer", public_part(key))
    write_certificate(path, build_statement(target.name, content["target"]["sha256"], content), key)
    return path


def policy(**members: Any) -> GateSettings:
    """The default policy, with single keys replaced."""
    return replace(load_settings().gate, **members)


def judged(folder: Path, *, accepted: Any = (), **members: Any) -> Gate:
    return judge(find([folder]), policy(**members), accepted, NOW)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A deployment of one certified model; its source lies elsewhere."""
    source = model(tmp_path / "elsewhere" / "source.onnx", "source")
    certify(model(tmp_path / "deploy" / "m.onnx"), source)
    return tmp_path / "deploy"


def kinds(gate: Gate) -> dict[str, set[str]]:
    """The problems of each model, by its name."""
    found: dict[str, set[str]] = {}
    for row in gate.models:
        found.setdefault(row.model.name, set()).update(problem.kind for problem in row.problems)
    return found


def test_a_certified_model_passes_also_without_its_source(folder: Path) -> None:
    assert kinds(judged(folder)) == {"m.onnx": set()}
    (folder.parent / "elsewhere" / "source.onnx").unlink()
    gate = judged(folder)
    assert gate.ok and gate.models[0].notes == ("source source.onnx: not here",)


def test_a_model_without_certificate_does_not_pass(folder: Path) -> None:
    model(folder / "more" / "n.onnx")
    saved_model(folder / "t_saved_model")
    assert kinds(judged(folder)) == {"m.onnx": set(), "n.onnx": {"missing"}, "t_saved_model": {"missing"}}


def test_a_saved_model_counts_as_one_and_every_file_of_it_counts(folder: Path) -> None:
    target = saved_model(folder / "t_saved_model")
    certify(target, folder / "m.onnx")
    assert kinds(judged(folder)) == {"m.onnx": set(), "t_saved_model": set()}
    inside = target / "variables" / "variables.index"
    assert kinds(judged(inside)) == {"t_saved_model": set()}
    inside.write_bytes(bytes(11))
    assert kinds(judged(folder))["t_saved_model"] == {"changed"}


def test_another_target_or_source_does_not_pass(folder: Path) -> None:
    model(folder.parent / "elsewhere" / "source.onnx", "newer")
    assert kinds(judged(folder)) == {"m.onnx": {"stale"}}
    model(folder / "m.onnx", "other")
    assert kinds(judged(folder)) == {"m.onnx": {"stale", "changed"}}
    (folder / "m.onnx").unlink()
    assert kinds(judged(folder)) == {"m.onnx": {"stale", "absent"}}


def test_a_source_passes_only_where_a_sound_certificate_names_it_unchanged(folder: Path) -> None:
    source = model(folder / "own.onnx", "own")
    target = model(folder / "n.onnx", "n")
    certificate = certify(target, source)
    gate = judged(folder)
    assert gate.ok and {j.model.name: j.source_of and j.source_of.name for j in gate.models}["own.onnx"] == "n.onnx"
    model(source, "newer")
    assert kinds(judged(folder)) == {"m.onnx": set(), "n.onnx": {"stale"}, "own.onnx": {"missing"}}
    model(source, "own")
    certificate.write_text(certificate.read_text().replace("integrity", "integritY"))
    assert kinds(judged(folder))["own.onnx"] == {"missing"}


def test_a_refuted_or_rejected_model_does_not_pass(folder: Path) -> None:
    rejected = folder / "r.onnx.rejected"
    (folder / "m.onnx").rename(rejected)
    (folder / "m.onnx.certificate.json").unlink()
    certify(rejected, rejected, verdict="not_equivalent")
    assert kinds(judged(folder)) == {"r.onnx.rejected": {"verdict"}}


def test_signatures(folder: Path, tmp_path: Path) -> None:
    for name in ("ours", "other"):
        generate_key(tmp_path / name)
    source = tmp_path / "elsewhere" / "source.onnx"
    ours = Signer(tmp_path / "ours.pub")
    assert kinds(judged(folder, signers=(ours,))) == kinds(judged(folder, signature=True)) == {"m.onnx": {"unsigned"}}
    certify(folder / "m.onnx", source, tmp_path / "other")
    assert kinds(judged(folder, signers=(ours,))) == {"m.onnx": {"signature"}}
    assert judged(folder, signature=True).ok
    certify(folder / "m.onnx", source, tmp_path / "ours")
    assert judged(folder, signers=(ours,)).ok
    with pytest.raises(UnusableInput, match="not a public key"):
        judged(folder, signers=(Signer(folder / "m.onnx"),))


@pytest.mark.parametrize(
    ("schema", "kind", "wording"), [(0, "schema", "older"), (99, "schema", "newer"), ("x", "damaged", "no safeconvert")]
)
def test_certificates_of_other_schemas(folder: Path, schema: object, kind: str, wording: str) -> None:
    certify(folder / "m.onnx", folder / "m.onnx", schema=schema)
    gate = judged(folder)
    assert kinds(gate) == {"m.onnx": {kind}} and wording in gate.models[0].problems[0].detail


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff\xfe", b"[]", b'{"payloadType": 1}'])
def test_damaged_certificates_are_said(folder: Path, content: bytes) -> None:
    (folder / "m.onnx.certificate.json").write_bytes(content)
    called = safeconvert("gate", folder) if content == b"{" else None
    assert kinds(judged(folder)) == {"m.onnx": {"damaged"}}
    if called is not None:
        assert called.code == 1 and "Traceback" not in called.text and "damaged" in called.out


@pytest.mark.parametrize("broken", [None, 3, "text", [], {}, [None], {"path": 3}, {"path": "a\0b"}, {"path": "/etc"}])
def test_whatever_is_missing_in_a_certificate_makes_no_traceback(folder: Path, broken: object) -> None:
    for member in ("source", "target", "obligations", "evidence", "verdict"):
        path = folder / "m.onnx.certificate.json"
        content = {"schema": 1, "verdict": "verified", "target": entry(folder / "m.onnx", folder), member: broken}
        write_certificate(path, build_statement("m.onnx", "0" * 64, content), None)
        assert not judged(folder).ok


def test_files_named_like_models_that_are_none_do_not_pass(folder: Path) -> None:
    (folder / "empty.keras").touch()
    (folder / "notes.txt").write_text("no model")
    (folder / "weights.npz").write_bytes(b"PK\x05\x06" + bytes(18))
    assert kinds(judged(folder)) == {"m.onnx": set(), "empty.keras": {"unreadable"}}


def test_a_certificate_elsewhere_counts_and_one_of_another_file_does_not(folder: Path) -> None:
    certificate = folder / "m.onnx.certificate.json"
    (folder / "sub").mkdir()
    source = folder.parent / "elsewhere" / "source.onnx"
    certify(folder / "m.onnx", source, place=folder / "sub" / "any.certificate.json")
    certificate.unlink()
    assert kinds(judged(folder)) == {"m.onnx": set()}
    (folder / "sub" / "any.certificate.json").unlink()
    other = certify(model(folder.parent / "o.onnx", "o"), source, place=certificate)
    assert other == certificate and kinds(judged(folder)) == {"m.onnx": {"other"}}


def test_links_are_followed_and_evidence_is_not_needed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "data").symlink_to(folder)
    (folder / "loop").symlink_to(folder)
    source = tmp_path / "elsewhere" / "source.onnx"
    evidence = {"path": "m.evidence.zip", "sha256": "0" * 64, "kind": "file"}
    certify(folder / "m.onnx", source, evidence=evidence)
    gate = judged(tmp_path / "linked")
    assert kinds(gate) == {"m.onnx": set()} and "evidence m.evidence.zip: not here" in gate.models[0].notes
    (folder / "m.evidence.zip").write_bytes(b"other")
    assert kinds(judged(tmp_path / "linked")) == {"m.onnx": {"evidence"}}


def test_obligations_are_met_only_where_somebody_says_so(folder: Path) -> None:
    certify(folder / "m.onnx", folder.parent / "elsewhere" / "source.onnx", obligations=[OBLIGATION])
    accepted = folder.parent / "obligations.toml"
    accepted.write_text(
        f'[[accepted]]\nmodel = "deploy/*.onnx"\nobligation = "{OBLIGATION}"\nreason = "the service does"\n'
    )
    called = safeconvert("gate", folder, "--json", "--junit", folder.parent / "gate.xml")
    assert called.code == 1 and called.json["models"][0]["problems"] == [
        {"kind": "obligation", "detail": f"not accepted: {OBLIGATION}"}
    ]
    (suite,) = ET.parse(folder.parent / "gate.xml").getroot()
    assert suite.get("failures") == "1" and suite.find("properties/property").get("value") == OBLIGATION
    called = safeconvert("gate", folder, "--acknowledge", accepted, "--junit", folder.parent / "gate.xml")
    assert called.code == 0 and "all 1 pass" in called.out, called.text
    assert ET.parse(folder.parent / "gate.xml").getroot().get("failures") == "0"
    accepted.write_text(accepted.read_text().replace("deploy", "other"))
    gate = judged(folder, accepted=read_accepted(accepted))
    assert not gate.ok and [entry.model for entry in gate.unused] == ["other/*.onnx"]


@pytest.mark.parametrize(
    "text",
    ["[[accepted]", "accepted = 3", "[[accept]]", "[[accepted]]\nmodel = 3\nobligation = ''", "[[accepted]]\nx = 1"],
)
def test_a_file_of_obligations_that_cannot_be_used_is_refused(folder: Path, text: str) -> None:
    path = folder.parent / "obligations.toml"
    path.write_text(text)
    called = safeconvert("gate", folder, "--acknowledge", path)
    assert called.code == 2 and "obligations.toml" in called.err and "Traceback" not in called.text


def test_nothing_to_check_is_an_error_and_stands_in_the_junit_file(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    called = safeconvert("gate", tmp_path / "empty", "--junit", tmp_path / "g.xml", "--json")
    assert called.code == 2 and called.json["verdict"] == "unusable_input"
    assert ET.parse(tmp_path / "g.xml").getroot().get("errors") == "1"
    assert safeconvert("gate", tmp_path / "absent").code == 2
    wrong = safeconvert("gate", tmp_path, "--junit", tmp_path / "model.onnx")
    assert wrong.code == 2 and ".xml" in wrong.err
    assert json.loads(safeconvert("gate", tmp_path / "absent", "--json").out)["exit_code"] == 2
