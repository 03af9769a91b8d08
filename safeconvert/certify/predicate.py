"""The certificate's content: what was converted, how, what it was compared with, and the result. A pure function of results."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safeconvert import __version__
from safeconvert.adapter_api.protocol import WHOLE
from safeconvert.certificate.digest import FileDigest
from safeconvert.certify import inputs
from safeconvert.certify.figures import brief, comparator, contract, exporter, pairs
from safeconvert.certify.findings import deployment, repair
from safeconvert.certify.quantization import metric, quantization
from safeconvert.core.formats import ModelFile
from safeconvert.errors import ExitCode
from safeconvert.pipeline.provenance import ModelRecord, Provenance
from safeconvert.pipeline.results import Attempt, Conversion, PairVerification
from safeconvert.verification.types import Verification

SCHEMA = 1


_VERDICTS = {
    ExitCode.VERIFIED: "verified",
    ExitCode.NOT_EQUIVALENT: "not_equivalent",
    ExitCode.NO_ROUTE: "no_route",
    ExitCode.NO_VERDICT: "no_verdict",
}


def of_conversion(conversion: Conversion, provenance: Provenance, folder: Path) -> dict[str, Any]:
    """The predicate of a conversion, verified or not, for a certificate in `folder`."""
    decisive = conversion.decisive
    predicate = _common(conversion, provenance, folder)
    return predicate | {
        "verdict": _VERDICTS[conversion.exit_code],
        "reason": conversion.reason,
        "route": _route(conversion, provenance),
        "attempts": [_attempt(attempt) for attempt in conversion.attempts],
        "seconds": predicate["seconds"] | _seconds(conversion.attempts),
        **({"obstacles": list(conversion.obstacles)} if conversion.obstacles else {}),
        **({"offers": [asdict(offer) for offer in conversion.offers]} if conversion.offers else {}),
        **repair(decisive.diagnosis, decisive.lift),
        **deployment(predicate["obligations"], decisive, conversion.preprocessing),
        **quantization(conversion.quantization, decisive),
        "notes": list(decisive.candidate.reply.notes) if decisive.candidate is not None else [],
    }


def of_pair(pair: PairVerification, provenance: Provenance, folder: Path) -> dict[str, Any]:
    """The predicate of the verification of an existing conversion, for a certificate in `folder`."""
    return _common(pair, provenance, folder) | {
        "verdict": _VERDICTS[pair.exit_code],
        "reason": pair.reason,
        "route": [],
        "attempts": [],
        "notes": [],
    }


def _common(result: Conversion | PairVerification, provenance: Provenance, folder: Path) -> dict[str, Any]:
    source, verification = result.source, result.verification
    part = source.request.part
    return {
        "schema": SCHEMA,
        "tool": {"name": "safeconvert", "version": __version__},
        "source": _model(provenance.source, folder)
        | ({} if part == WHOLE else {"part": asdict(part)})
        | _cut(source.file),
        "target": _model(provenance.target, folder),
        "inputs": inputs.described(
            source, provenance.inputs, verification.passed if verification is not None else None
        ),
        **inputs.shard(source, verification.passed if verification is not None else None),
        "contract": contract(source, verification),
        "comparator": comparator(result.settings, verification),
        **metric(source, verification),
        **inputs.evidence(source, verification, provenance.proof),
        "verification": pairs(
            verification.native if verification is not None else None,
            provenance.source_form,
            provenance.target_form,
            provenance.cross_pairs,
        ),
        "structure": provenance.structure.value,
        "proof": provenance.proof.to_json(),
        "exporters": {
            "source": exporter(provenance.source_form),
            "target": exporter(provenance.target_form),
        },
        "faults": [],
        "trials": [],
        "obligations": _obligations(source.file, verification),
        "containment": asdict(provenance.containment) | {"lacking": list(provenance.containment.lacking)},
        "environment": asdict(provenance.environment),
        "seconds": dict(provenance.seconds),
    }


def _model(record: ModelRecord, folder: Path) -> dict[str, Any]:
    """A model's digest, and under "files" those of the files beside it that hold a part of it."""
    beside = [_file(file, folder) for file in record.beside]
    return _file(record.file, folder) | {"format": record.format, "files": beside}


def _cut(file: ModelFile) -> dict[str, Any]:
    """Where a part was cut out of the source, what is not in it, and the digest of the part as it was run; {} of a whole model."""
    if file.part is None:
        return {}
    cut = {"from": list(file.part.cut.begin), "to_node": list(file.part.cut.end), "sha256": file.sha256}
    return {"cut": cut | file.part.remainder.to_json()}


def _obligations(file: ModelFile, verification: Verification | None) -> list[str]:
    """What a user of the target has to do: what a cut leaves to the host, and what the contract says."""
    part = file.part
    return [
        *(part.remainder.obligations(part.cut) if part is not None else ()),
        *(verification.contract.obligations if verification is not None else ()),
    ]


def _file(file: FileDigest, folder: Path) -> dict[str, Any]:
    """A file's digest, its path relative to the folder of the certificate."""
    relative = Path(os.path.relpath(file.path.parent.resolve() / file.path.name, folder.resolve())).as_posix()
    return {"path": relative, "sha256": file.sha256, "kind": file.kind}


def _route(conversion: Conversion, provenance: Provenance) -> list[dict[str, Any]]:
    """Each converter with the versions of its packages, the last with its own arguments."""
    route = conversion.route
    steps: list[dict[str, Any]] = [
        {"adapter": adapter.name, "from": before, "to": after, "packages": dict(packages)}
        for adapter, before, after, packages in zip(
            route.adapters, route.formats, route.formats[1:], provenance.converters, strict=False
        )
    ]
    if steps and provenance.arguments:
        steps[-1]["arguments"] = dict(provenance.arguments)
    return steps


def _attempt(attempt: Attempt) -> Mapping[str, Any]:
    return {
        "route": list(attempt.route.names),
        "outcome": attempt.outcome.value,
        "reason": attempt.reason,
        "lift": attempt.lift,
        "figures": brief(attempt.verification.native) if attempt.verification is not None else None,
    }


def _seconds(attempts: Sequence[Attempt]) -> dict[str, float]:
    """How long each route took, from its start to its verdict."""
    return {f"route {attempt.route}": attempt.seconds for attempt in attempts if attempt.seconds}
