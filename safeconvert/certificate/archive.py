"""The evidence file: a zip of `evidence.json`, small images and regions, always the same bytes for the same content.

It may come from anybody, so that nothing is unpacked to a path of its own choosing, and sizes are bounded.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import uuid
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safeconvert.errors import UnusableInput

SCHEMA = 1
_CONTENT = "evidence.json"
_LARGEST = 512 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that zip knows: equal content, equal bytes


class NoEvidence(Exception):
    """There is no evidence that may be shown; the text says why."""


@dataclass(frozen=True)
class Evidence:
    """What a report shows besides the certificate.

    Attributes:
        content: JSON-able; see `collect`.
        files: images (`samples/…`) and regions (`regions/…`), by name.
    """

    content: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)


def pack(evidence: Evidence) -> bytes:
    """The file's bytes."""
    buffer = io.BytesIO()
    content = json.dumps({"schema": SCHEMA, **evidence.content}, sort_keys=True, allow_nan=False).encode()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [(_CONTENT, content), *sorted(evidence.files.items())]:
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return buffer.getvalue()


def write(evidence: Evidence, path: Path) -> str:
    """Write the file, whole or not at all; its SHA-256. Raises UnusableInput where it cannot be written."""
    data = pack(evidence)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        partial.write_bytes(data)
        os.replace(partial, path)
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be written: {error.strerror}", "free some space") from error
    finally:
        partial.unlink(missing_ok=True)
    return hashlib.sha256(data).hexdigest()


def is_evidence(path: Path) -> bool:
    """Whether a file is one that `write` wrote, by what it holds."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _CONTENT in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def read(certificate: Path, entry: object) -> Evidence:
    """The evidence that a certificate names.

    Args:
        certificate: its path.
        entry: what it holds under "evidence".

    Raises:
        NoEvidence: there is none, or it is not the one that the certificate names.
    """
    if entry is None:
        raise NoEvidence("The certificate names no evidence: nothing differed, or it was made by an older safeconvert.")
    if not isinstance(entry, Mapping) or not isinstance(entry.get("path"), str):
        raise NoEvidence("What the certificate says of its evidence cannot be read.")
    path = (
        certificate.absolute().parent / Path(entry["path"]).name
    )  # it lies beside the certificate, wherever that goes
    try:
        if path.stat().st_size > _LARGEST:
            raise NoEvidence(f"The evidence file {path.name} is unreasonably large.")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise NoEvidence(f"The evidence file {path.name} is not beside the certificate.") from error
    except OSError as error:
        raise NoEvidence(f"The evidence file {path.name} cannot be read: {error.strerror}.") from error
    if hashlib.sha256(data).hexdigest() != entry.get("sha256"):
        raise NoEvidence(
            f"The evidence file {path.name} is not the one that the certificate names: its digest differs."
        )
    return unpack(data, path.name)


def unpack(data: bytes, name: str) -> Evidence:
    """The inverse of `pack`. Raises NoEvidence for what was not written by it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(info.file_size for info in archive.infolist()) > _LARGEST:
                raise NoEvidence(f"The evidence file {name} is unreasonably large.")
            files = {info.filename: archive.read(info) for info in archive.infolist()}
        content = json.loads(files.pop(_CONTENT))
        schema = int(content["schema"])
    except (zipfile.BadZipFile, zlib.error, KeyError, ValueError, TypeError, RecursionError, OSError, RuntimeError,
            NotImplementedError, EOFError) as error:  # fmt: skip
        raise NoEvidence(f"The evidence file {name} is damaged ({type(error).__name__}).") from error
    if schema > SCHEMA:
        raise NoEvidence(f"The evidence file {name} was made by a newer safeconvert (schema {schema}); update it.")
    return Evidence(content, files)
