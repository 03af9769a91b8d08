"""Each attestation is read and validated by the library of its own standard."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from safeconvert.app.attestations import Attestations, write_attestations
from safeconvert.certificate.digest import digest
from safeconvert.certificate.envelope import PAYLOAD_TYPE, write_certificate
from safeconvert.certificate.keys import generate_key, public_part
from safeconvert.certificate.statement import build_statement
from safeconvert.errors import NotEquivalent, UnusableInput


def small_model(path: Path, weight: float) -> Path:
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "w"], ["y"])],
        "scaled",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None, 2])],
        [numpy_helper.from_array(np.float32([weight]), "w")],
    )
    onnx.save(helper.make_model(graph), path)
    return path


def certify(folder: Path, verdict: str, key: Path | None) -> Path:
    """A certificate of a target in `folder`, in the words that conversions write."""

    def described(path: Path, format_name: str) -> dict[str, object]:
        found = digest(path)
        return {
            "path": os.path.relpath(path, folder),
            "sha256": found.sha256,
            "kind": found.kind,
            "format": format_name,
        }

    target = described(small_model(folder / "target.onnx", 2.0), "onnx")
    content = {
        "schema": 1,
        "tool": {"name": "safeconvert", "version": "0.1.0"},
        "verdict": verdict,
        "reason": "equal on 16 held-out inputs",
        "source": described(small_model(folder / "source.onnx", 2.0), "onnx"),
        "target": target,
        "route": [{"adapter": "tf2onnx", "from": "tf", "to": "onnx", "packages": {"tf2onnx": "1.17.0"}}],
        "verification": {"source_native_target_native": {"equal": verdict == "verified", "samples": 16}},
    }
    if key is not None:
        content["signer"] = public_part(key)
    path = folder / "target.onnx.certificate.json"
    write_certificate(path, build_statement("target.onnx", str(target["sha256"]), content), key)
    return path


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    generate_key(tmp_path / "release")
    return certify(tmp_path, "verified", tmp_path / "release")


def test_a_sigstore_bundle_is_read_by_the_library_of_its_models_and_its_signature_holds(signed: Path) -> None:
    from securesystemslib.dsse import Envelope
    from sigstore_models.bundle.v1 import Bundle

    from safeconvert.certificate.keys import load_public_key

    out = signed.with_name("bundle.json")
    write_attestations(signed, Attestations(sigstore_bundle=out), None, None, None)
    bundle = Bundle.from_json(out.read_bytes())
    assert bundle.media_type == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert bundle.verification_material.public_key is not None and bundle.verification_material.public_key.hint
    members = json.loads(out.read_text())
    assert set(members) == {"mediaType", "verificationMaterial", "dsseEnvelope"}, "a member that other tools refuse"
    assert set(members["dsseEnvelope"]) == {"payload", "payloadType", "signatures"}
    envelope = Envelope.from_dict(members["dsseEnvelope"])
    envelope.verify([load_public_key(signed.with_name("release.pub"))], 1)
    assert envelope.payload_type == PAYLOAD_TYPE and b"conversion/v1" in envelope.payload


def test_an_unsigned_certificate_makes_no_sigstore_bundle(tmp_path: Path) -> None:
    path = certify(tmp_path, "verified", None)
    with pytest.raises(UnusableInput, match="bears 0 signatures"):
        write_attestations(path, Attestations(sigstore_bundle=tmp_path / "b.json"), None, None, None)
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize(("verdict", "result"), [("verified", "PASSED"), ("not_equivalent", "FAILED")])
def test_the_verdict_is_an_in_toto_test_result(tmp_path: Path, verdict: str, result: str) -> None:
    from google.protobuf import json_format
    from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
    from in_toto_attestation.v1 import statement_pb2
    from in_toto_attestation.v1.statement import Statement

    path = certify(tmp_path, verdict, None)
    write_attestations(path, Attestations(test_result=tmp_path / "result.json"), None, None, None)
    envelope = json.loads((tmp_path / "result.json").read_text())
    statement = json_format.Parse(base64.b64decode(envelope["payload"]), statement_pb2.Statement())
    Statement.copy_from_pb(statement).validate()
    predicate = json_format.ParseDict(json_format.MessageToDict(statement.predicate), test_result_pb2.TestResult())
    assert statement.predicate_type == "https://in-toto.io/attestation/test-result/v0.1"
    assert predicate.result == result
    assert statement.subject[0].digest["sha256"] == digest(tmp_path / "target.onnx").sha256
    assert predicate.configuration[0].name == "source.onnx"


def test_a_bill_of_materials_is_valid_cyclonedx_and_leads_to_the_source(signed: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    out = signed.with_name("bom.json")
    write_attestations(signed, Attestations(ml_bom=out), None, None, None)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(out.read_text()) is None
    target = json.loads(out.read_text())["metadata"]["component"]
    assert target["type"] == "machine-learning-model"
    assert target["hashes"] == [{"alg": "SHA-256", "content": digest(signed.with_name("target.onnx")).sha256}]
    assert target["pedigree"]["ancestors"][0]["hashes"][0]["content"] == digest(signed.with_name("source.onnx")).sha256


def test_a_model_signature_is_accepted_by_model_signing_and_not_for_another_model(signed: Path) -> None:
    from model_signing import verifying

    generate_key(signed.with_name("ec"), elliptic=True)
    out = signed.with_name("target.sig")
    write_attestations(signed, Attestations(model_signature=out), None, signed.with_name("ec"), None)
    verify = verifying.Config().use_elliptic_key_verifier(public_key=signed.with_name("ec.pub"))
    verify.verify(signed.with_name("target.onnx"), out)
    with signed.with_name("target.onnx").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ValueError, match=r"mismatch|differ|verif"):
        verify.verify(signed.with_name("target.onnx"), out)


def test_a_model_that_is_not_verified_is_not_signed(tmp_path: Path) -> None:
    generate_key(tmp_path / "ec", elliptic=True)
    path = certify(tmp_path, "not_equivalent", None)
    with pytest.raises(NotEquivalent, match="not_equivalent"):
        write_attestations(path, Attestations(model_signature=tmp_path / "t.sig"), None, tmp_path / "ec", None)
    assert not (tmp_path / "t.sig").exists()


def test_an_ed25519_key_is_no_key_for_a_model_signature(signed: Path) -> None:
    with pytest.raises(UnusableInput, match="not a key that model-signing takes"):
        write_attestations(
            signed, Attestations(model_signature=signed.with_name("t.sig")), None, signed.with_name("release"), None
        )


def test_nothing_is_attested_of_a_target_that_changed(signed: Path) -> None:
    signed.with_name("target.onnx").write_bytes(b"another")
    for name in ("test_result", "ml_bom", "sigstore_bundle"):
        with pytest.raises(NotEquivalent, match="changed since"):
            write_attestations(signed, Attestations(**{name: signed.with_name("out.json")}), None, None, None)
    assert not signed.with_name("out.json").exists()


def test_no_model_and_no_certificate_is_overwritten_by_a_slip(signed: Path) -> None:
    before = signed.read_bytes()
    for path in (signed, signed.with_name("target.onnx")):
        with pytest.raises(UnusableInput, match="ends in"):
            write_attestations(signed, Attestations(ml_bom=path), None, None, None)
    assert signed.read_bytes() == before
