"""What passed a gate and must not: forgeries, figures that contradict the verdict, and what policies forbid."""

from __future__ import annotations

import json
import pickle
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import h5py
import pytest

from safeconvert.certificate.check import Status, check, read_certificate
from safeconvert.certificate.envelope import _serialise
from safeconvert.certificate.keys import generate_key
from safeconvert.config.gate_settings import Signer
from safeconvert.errors import NotEquivalent
from safeconvert.gate.find import find
from safeconvert.gate.recompute import contradictions
from tests.command import safeconvert
from tests.gate.test_gate import certify, comparator, figures, judged, kinds, model

NATIVE = "source native vs target native"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A deployment of one certified model, signed with `tmp_path/ours`; its source lies elsewhere."""
    generate_key(tmp_path / "ours")
    certify(model(tmp_path / "deploy" / "m.onnx"), model(tmp_path / "source.onnx", "source"), tmp_path / "ours")
    return tmp_path / "deploy"


def rewritten(certificate: Path, **members: Any) -> None:
    """The envelope with other members, and a digest of its own that fits."""
    envelope = {key: value for key, value in json.loads(certificate.read_text()).items() if key != "integrity"}
    certificate.write_bytes(_serialise({**envelope, **members}))


def test_garbage_for_a_signature_is_refused_also_where_no_key_was_given(folder: Path) -> None:
    certificate = folder / "m.onnx.certificate.json"
    assert judged(folder, signature=True).ok
    keyid = json.loads(certificate.read_text())["signatures"][0]["keyid"]
    for signature in ("AAAA", "Z2FyYmFnZQ==", "A" * 86 + "=="):
        rewritten(certificate, signatures=[{"keyid": keyid, "sig": signature}])
        assert kinds(judged(folder)) == kinds(judged(folder, signature=True)) == {"m.onnx": {"signature"}}
        report = check(certificate)
        assert not report.ok and Status.BAD_SIGNATURE in {item.status for item in report.items}
        with pytest.raises(NotEquivalent, match="signature"):
            read_certificate(certificate)


def test_a_signature_that_was_taken_off_is_missed(folder: Path) -> None:
    rewritten(folder / "m.onnx.certificate.json", signatures=[])
    assert kinds(judged(folder)) == {"m.onnx": {"signature"}} and not check(folder / "m.onnx.certificate.json").ok


def test_a_signature_that_names_no_key_needs_one(folder: Path, tmp_path: Path) -> None:
    certify(folder / "m.onnx", tmp_path / "source.onnx", tmp_path / "ours", signer=None)
    assert kinds(judged(folder)) == {"m.onnx": {"signature"}}
    assert not check(folder / "m.onnx.certificate.json").ok
    assert judged(folder, signers=(Signer(tmp_path / "ours.pub"),)).ok
    assert check(folder / "m.onnx.certificate.json", tmp_path / "ours.pub").ok


def test_unsigned_is_said_loudly_by_gate_and_check(folder: Path, tmp_path: Path) -> None:
    certificate = certify(folder / "m.onnx", tmp_path / "source.onnx")
    called = safeconvert("gate", folder)
    assert called.code == 0 and "UNSIGNED: 1 of 1" in called.out
    shown = safeconvert("check", certificate)
    assert shown.code == 0 and "UNSIGNED: anyone could have written this certificate" in shown.out
    assert safeconvert("gate", folder, "--json").json["models"][0]["signature"] == "unsigned"


CONTRADICTIONS: list[tuple[str, dict[str, Any]]] = [
    ("no figures", {"verification": {}}),
    ("samples is None", {"figures": figures(samples=20) | {"samples": None}}),
    ("no held-out input", {"figures": figures() | {"samples": 0}}),
    ("3 of 20 inputs differ", {"figures": figures(disagreements=3, discrepancy=0.15)}),
    ("20 of 20 inputs differ", {"figures": figures(beyond_tolerance=20)}),
    ("1 of 20 inputs differ", {"figures": figures(nonfinite=1)}),
    ("equal: False", {"figures": figures(equal=False)}),
    ("is not 0 of 20", {"figures": figures(discrepancy=0.5)}),
    ("upper bound", {"figures": figures(upper_bound=0.001)}),
    ("no output", {"figures": figures(outputs=[])}),
    ("by output", {"figures": figures(outputs=[{"name": "y", "disagreements": 4, "max_abs": 0}])}),
    ("inf apart", {"figures": figures(outputs=[{"name": "y", "disagreements": 0, "max_abs": "inf"}])}),
    ("of which 3 were held out", {"inputs": {"held_out": 3}}),
]


@pytest.mark.parametrize(("says", "members"), CONTRADICTIONS, ids=[says for says, _ in CONTRADICTIONS])
def test_a_verdict_that_its_own_figures_contradict_does_not_pass(
    says: str, members: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    certify(folder / "m.onnx", tmp_path / "source.onnx", tmp_path / "ours", **members)
    gate = judged(folder)
    assert "figures" in kinds(gate)["m.onnx"]
    assert any(says.removeprefix("inf ") in problem.detail for problem in gate.models[0].problems), gate.models[0]


def test_figures_with_disagreements_that_were_allowed_and_with_rounding_are_true() -> None:
    allowed = figures(100, disagreements=2, discrepancy=0.02, upper_bound=0.0616192)
    allowed["outputs"][0]["disagreements"] = 2
    base = {"comparator": comparator(max_discrepancy=0.05), "inputs": {"held_out": 100}}
    assert contradictions({**base, "verification": {NATIVE: allowed}}) == []
    rounded = figures(beyond_tolerance=20, rounding={"samples": 20, "relative_in_float64": 1e-6})
    honest = {"comparator": comparator(), "inputs": {"held_out": 20}, "verification": {NATIVE: rounded}}
    assert contradictions(honest) == []


POLICY: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("1 held-out", {"figures": figures(1)}, {}),
    ("20 held-out", {}, {"held_out": 21}),
    ("rtol is 1000000000.0", {"comparator": comparator(tolerances={"rtol": 1e9, "atol": 1e-5})}, {}),
    ("atol is 1.0", {"comparator": comparator(tolerances={"rtol": 1e-4, "atol": 1.0})}, {}),
    ("rtol is None", {"comparator": comparator(tolerances={})}, {}),
    ("rtol is 'nan'", {"comparator": comparator(tolerances={"rtol": "nan", "atol": 0})}, {}),
    ("rtol of output y", {"comparator": comparator(per_output={"y": {"rtol": 1, "atol": 0}})}, {}),
    ("max_discrepancy is 0.9", {"comparator": comparator(max_discrepancy=0.9)}, {}),
    ("cosine_threshold is 1", {"comparator": comparator(cosine_threshold=1)}, {}),
    ("comparator 'mine:always'", {"comparator": comparator(name="mine:always")}, {}),
    ("comparator 'top1'", {"comparator": comparator(name="top1")}, {"comparators": ("by output",)}),
    ("rounding is 0.5", {"figures": figures(relative=0.5, rounding={"samples": 1, "relative_in_float64": 0})}, {}),
    ("made on 2026-11-20", {}, {"age_days": 5}),
    ("no date", {"made": "yesterday"}, {"age_days": 5}),
    ("evidence: sampled", {}, {"evidence": "onnx"}),
]


@pytest.mark.parametrize(("says", "members", "asked"), POLICY, ids=[says for says, _, _ in POLICY])
def test_what_is_true_and_not_enough_does_not_pass(
    says: str, members: dict[str, Any], asked: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    certify(folder / "m.onnx", tmp_path / "source.onnx", tmp_path / "ours", **members)
    gate = judged(folder, **asked)
    assert kinds(gate) == {"m.onnx": {"policy"}}
    assert any(says in problem.detail for problem in gate.models[0].problems), gate.models[0]


def test_a_proof_is_enough_where_one_is_asked_for(folder: Path, tmp_path: Path) -> None:
    certify(folder / "m.onnx", tmp_path / "source.onnx", tmp_path / "ours", proof={"level": "onnx"})
    assert judged(folder, evidence="onnx").ok
    certify(folder / "m.onnx", tmp_path / "source.onnx", tmp_path / "ours", proof={"level": "all"})
    assert kinds(judged(folder, evidence="onnx")) == {"m.onnx": {"policy"}}


def test_a_looser_policy_is_a_choice_of_who_deploys(folder: Path, tmp_path: Path) -> None:
    loose = comparator(name="mine:always", tolerances={"rtol": 0.01, "atol": 1e-5})
    certify(folder / "m.onnx", tmp_path / "source.onnx", comparator=loose, figures=figures(2))
    (tmp_path / "policy.toml").write_text(
        "[gate]\nheld_out = 2\nrtol = 0.01\ncomparators = ['mine:always']\nage_days = 40000\nsigners = []\n"
    )
    called = safeconvert("gate", folder, "--config", tmp_path / "policy.toml")
    assert called.code == 0 and "policy.toml [gate]" in called.out, called.text
    assert safeconvert("gate", folder, cwd=tmp_path).code == 1


def test_keys_with_dates_sign_for_their_time_only(folder: Path, tmp_path: Path) -> None:
    generate_key(tmp_path / "old")
    old = Signer(tmp_path / "old.pub", None, date(2026, 11, 1))
    ours = Signer(tmp_path / "ours.pub", date(2026, 11, 2))
    assert judged(folder, signers=(old, ours)).ok and kinds(judged(folder, signers=(old,))) == {"m.onnx": {"signature"}}
    certify(folder / "m.onnx", tmp_path / "source.onnx", tmp_path / "old")  # after its time
    assert kinds(judged(folder, signers=(old, ours))) == {"m.onnx": {"signature"}}
    certify(folder / "m.onnx", tmp_path / "source.onnx", tmp_path / "old", made="2026-10-01T00:00:00+00:00")
    assert judged(folder, signers=(old, ours)).ok
    certify(folder / "m.onnx", tmp_path / "source.onnx", tmp_path / "old", made=None)
    assert kinds(judged(folder, signers=(old, ours))) == {"m.onnx": {"signature"}}


def test_signers_of_a_policy_and_several_keys_of_the_command_line(folder: Path, tmp_path: Path) -> None:
    generate_key(tmp_path / "other")
    (tmp_path / "p.toml").write_text('[gate]\nsigners = ["other.pub", { key = "ours.pub", from = 2020-01-01 }]\n')
    assert safeconvert("gate", folder, "--config", tmp_path / "p.toml").code == 0
    keys = [word for name in ("other.pub", "ours.pub") for word in ("--public-key", tmp_path / name)]
    assert safeconvert("gate", folder, *keys).code == 0
    assert safeconvert("gate", folder, *keys[:2]).code == 1
    for wrong in ('signers = ["gone.pub"]', 'signers = "ours.pub"', 'signers = [{ key = "ours.pub", from = "x" }]',
                  'evidence = "sure"', "comparators = ['best']", "held_out = 0"):  # fmt: skip
        (tmp_path / "p.toml").write_text(f"[gate]\n{wrong}\n")
        called = safeconvert("gate", folder, "--config", tmp_path / "p.toml") if "gone" in wrong else None
        assert called is None or (called.code == 2 and "gone.pub" in called.err)


def test_models_are_told_by_content_whatever_their_names(folder: Path, tmp_path: Path) -> None:
    (folder / ".hidden.keras").write_bytes(b"no model")
    model(folder / ".cache" / "notes.txt")
    (folder / "weights.bin").write_bytes(pickle.dumps({"w": 1}, protocol=4))
    (folder / ".pt").write_bytes(pickle.dumps([], protocol=2))
    with zipfile.ZipFile(folder / "data", "w") as archive:
        archive.writestr("archive/data.pkl", b"x")
    with h5py.File(folder / "net.dat", "w") as file:
        file.attrs["model_config"] = "{}"
    (folder / "graph").write_bytes(b"\n\x0d\n\x01x\x12\x08Identity")
    (folder / "text").mkdir()
    (folder / "text" / "saved_model.pbtxt").write_text("saved_model_schema_version: 1")
    with h5py.File(folder / "measured.h5", "w") as file:
        file["temperature"] = [20.5]
    (folder / "readme.txt").write_text("\n\nNothing here.\n")
    (folder / "array.npz").write_bytes(b"PK\x05\x06" + bytes(18))
    found = kinds(judged(folder))
    for name in ("notes.txt", "weights.bin", ".pt", "data", "net.dat", "graph"):
        assert found.pop(name) == {"missing"}, name
    assert found.pop(".hidden.keras") == found.pop("measured.h5") == {"unreadable"}
    assert found.pop("text") == {"unreadable"}
    assert found == {"m.onnx": set()}


def test_the_inside_of_a_repository_is_left_out_and_a_folder_of_that_name_is_not(folder: Path) -> None:
    for name in ("real", "fake"):
        model(folder / name / ".git" / "m.onnx", name)
    (folder / "real" / ".git" / "HEAD").touch()
    (folder / "real" / ".git" / "objects").mkdir()
    assert [path.parts[-3] for path in find([folder]).models if ".git" in path.parts] == ["fake"]
