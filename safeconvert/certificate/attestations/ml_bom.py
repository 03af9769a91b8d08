"""A CycloneDX ML-BOM (https://cyclonedx.org, specification 1.6): the target, what it was made of and with what.

The target's pedigree leads to the source as its ancestor; the converters of the route stand as tools. Written by
cyclonedx-python-lib, which comes with `pip install safeconvert[attest]`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from safeconvert.certificate.attestations.certified import Certified
from safeconvert.certificate.attestations.library import needs_library
from safeconvert.certificate.untrusted_json import mapping, mappings, text

if TYPE_CHECKING:
    from cyclonedx.model.component import Component

_NAMESPACE = uuid.UUID("6e0a1d0a-5c1e-5a8f-9a39-0d8a0d5f1d7b")


def ml_bom(certified: Certified) -> str:
    """The bill of materials as JSON text; equal certificates give equal texts but for the time stamp.

    Raises:
        UnusableInput: cyclonedx-python-lib is not installed, or the certificate names no files.
    """
    with needs_library("cyclonedx-python-lib"):
        from cyclonedx.model import Property
        from cyclonedx.model.bom import Bom
        from cyclonedx.model.component import Component, ComponentType, Pedigree
        from cyclonedx.output import make_outputter
        from cyclonedx.schema import OutputFormat, SchemaVersion
    source = _model(certified, "source")
    target = _model(certified, "target")
    target.pedigree = Pedigree(
        ancestors=[source], notes=f"converted by {' → '.join(_route(certified)) or 'another tool'}"
    )
    target.properties = [
        Property(name="safeconvert:verdict", value=certified.verdict),
        Property(name="safeconvert:reason", value=text(certified.predicate.get("reason"))),
        Property(name="safeconvert:certificate", value=certified.path.name),
    ]
    bom = Bom(serial_number=uuid.uuid5(_NAMESPACE, certified.digest("target")[1]))
    bom.metadata.timestamp = datetime.now(UTC)
    bom.metadata.component = target
    for name, version in _packages(certified):
        bom.metadata.tools.components.add(Component(name=name, version=version, type=ComponentType.APPLICATION))
    return str(make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)) + "\n"


def _model(certified: Certified, role: str) -> Component:
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.component import Component, ComponentType

    name, sha256 = certified.digest(role)
    entry = mapping(certified.predicate.get(role))
    return Component(
        name=name,
        bom_ref=f"{role}-{sha256[:16]}",
        type=ComponentType.MACHINE_LEARNING_MODEL,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if entry.get("kind") != "folder" else [],
        description=f"{text(entry.get('format'))} model"
        + (f"; SHA-256 of the manifest of its files {sha256}" if entry.get("kind") == "folder" else ""),
    )


def _route(certified: Certified) -> list[str]:
    return [text(step.get("adapter")) for step in mappings(certified.predicate.get("route"))]


def _packages(certified: Certified) -> Iterator[tuple[str, str]]:
    """safeconvert and the packages of the route, with the versions that ran."""
    tool = mapping(certified.predicate.get("tool"))
    yield text(tool.get("name")), text(tool.get("version"))
    found = {
        str(name): text(version)
        for step in mappings(certified.predicate.get("route"))
        for name, version in mapping(step.get("packages")).items()
    }
    yield from sorted(found.items())
