"""Keys: made as a pair or not at all, and nothing but Ed25519 in PEM is taken for one."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from safeconvert.certificate.keys import generate_key, load_public_key, load_signer
from safeconvert.errors import UnusableInput

PLAIN = serialization.NoEncryption()


def pem(private: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, protection: object = PLAIN) -> bytes:
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    return private.private_bytes(*form, protection)  # type: ignore[arg-type]


def test_the_two_files_are_one_pair(tmp_path: Path) -> None:
    generate_key(tmp_path / "k")
    signer, public = load_signer(tmp_path / "k"), load_public_key(tmp_path / "k.pub")
    assert signer.public_key.keyval == public.keyval and signer.public_key.keytype == "ed25519"
    public.verify_signature(signer.sign(b"x"), b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["k", "k.pub"]


def test_two_keys_are_two(tmp_path: Path) -> None:
    for name in "ab":
        generate_key(tmp_path / name)
    assert load_public_key(tmp_path / "a.pub").keyval != load_public_key(tmp_path / "b.pub").keyval


@pytest.mark.parametrize("existing", ["k", "k.pub"])
def test_where_one_file_exists_neither_is_made_or_changed(existing: str, tmp_path: Path) -> None:
    (tmp_path / existing).write_text("mine")
    with pytest.raises(UnusableInput, match=rf"{existing}: exists already"):
        generate_key(tmp_path / "k")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {existing: "mine"}


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="cannot be written"):
        generate_key(tmp_path / "gone" / "k")


@pytest.mark.parametrize("kind", ["another curve", "encrypted", "the other half", "nonsense", "empty", "gone"])
def test_what_is_no_plain_ed25519_key_is_named(kind: str, tmp_path: Path) -> None:
    generate_key(tmp_path / "k")
    own = ed25519.Ed25519PrivateKey.generate()
    other = ec.generate_private_key(ec.SECP256R1())
    public_form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    private, public = {
        "another curve": (pem(other), other.public_key().public_bytes(*public_form)),
        "encrypted": (pem(own, serialization.BestAvailableEncryption(b"secret")), b""),
        "the other half": ((tmp_path / "k.pub").read_bytes(), (tmp_path / "k").read_bytes()),
        "nonsense": (
            b"-----BEGIN PRIVATE KEY-----\n\xff\n",
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        ),
        "empty": (b"", b""),
        "gone": (None, None),
    }[kind]
    for load, data in ((load_signer, private), (load_public_key, public)):
        if data is not None:
            (tmp_path / "given").write_bytes(data)
        with pytest.raises(UnusableInput, match="given"):
            load(tmp_path / "given")
