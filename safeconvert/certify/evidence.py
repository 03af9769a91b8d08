"""Gather the evidence of a run while its workers' files are still there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from safeconvert.certificate.archive import Evidence
from safeconvert.certify.counterexamples import counterexamples
from safeconvert.certify.samples import differing_samples
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated
from safeconvert.core.proof import PROOF, ProofRecord, encoded
from safeconvert.errors import ExitCode
from safeconvert.pipeline.results import Conversion, PairVerification
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.source import Source, given_only
from safeconvert.verification.types import Verification

_REGION_BYTES = 64 << 20  # of all regions
_REPAIRED_BYTES = 8 << 20  # where all is repaired: evidence is handed on with the model


def of_conversion(conversion: Conversion) -> Evidence | None:
    """The evidence of a conversion or repair; None where nothing differed and no errors along the layers were requested.

    Content: `along` (errors at the cut points, before and after the repair), `graphs` (the nodes of both ONNX forms),
    `regions` (see `localize.reproduction`), `samples` (see `samples`), with `samples_of` saying of which target, and `searched`
    (see `counterexamples`).
    """
    decisive, deployed = conversion.decisive, conversion.preprocessing
    wrong = [a for a in conversion.attempts if a.verification is not None and _differs(a.verification)]
    samples: dict[str, Any] = {}
    images: dict[str, bytes] = {}
    searched: dict[str, Any] = {}
    shown = next((attempt for attempt in wrong if attempt is decisive), next(iter(wrong), None))
    if shown is not None and shown.verification is not None:
        of = "the target" if shown is decisive else "the target as it was converted"
        verification, outputs = shown.verification, shown.verification.outputs
        samples, images = _samples(conversion.source, verification, outputs, conversion.options.verify, of)
        searched, arrays = counterexamples(verification)
        images = {**images, **arrays}
    elif deployed is not None and deployed.outputs is not None and decisive.verification is not None:
        samples, images = _samples(
            given_only(conversion.source),
            decisive.verification,
            deployed.outputs,
            conversion.options.verify,
            "the target as deployed",
        )
    elif decisive.diagnosis is None and not conversion.layers:
        return None
    verified = conversion.exit_code is ExitCode.VERIFIED
    regions, files = _regions(decisive.diagnosis, verified) if decisive.diagnosis is not None else ([], {})
    record = (decisive.diagnosis.record if decisive.diagnosis is not None else {}) or conversion.layers
    return Evidence(_content({**record, **samples, **searched, "regions": regions}), {**images, **files})


def of_pair(pair: PairVerification) -> Evidence | None:
    """The evidence of a verification; None where nothing differed."""
    if not _differs(pair.verification):
        return None
    samples, images = _samples(
        pair.source, pair.verification, pair.verification.outputs, pair.options.verify, "the target"
    )
    found, files = counterexamples(pair.verification)
    return Evidence(_content({**samples, **found}), {**images, **files})


def with_proof(evidence: Evidence | None, proof: ProofRecord) -> Evidence | None:
    """The evidence with the proof object in it, where there is one."""
    if not proof.document:
        return evidence
    found = evidence or Evidence(_content({}))
    return replace(found, files={**found.files, PROOF: encoded(proof.document)})


def _content(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"along": [], "graphs": {}, "regions": [], "samples": [], "samples_of": "", **found}


def _differs(verification: Verification) -> bool:
    """Whether any of the inputs that give the verdict is not equal, also where the settings allow for some."""
    figures = verification.native
    return not figures.equal or figures.disagreements > 0 or figures.beyond_tolerance > 0


def _samples(
    source: Source, verification: Verification, target: Evaluated, settings: VerifySettings, of: str
) -> tuple[dict[str, Any], dict[str, bytes]]:
    if source.data.inputs.whole:
        return {"samples": [], "samples_of": ""}, {}  # a whole call has no rows to show
    samples, images = differing_samples(
        source.data.inputs, source.session.signature.inputs, source.data.chunks, verification.contract, source.outputs,
        target, settings,
    )  # fmt: skip
    return {"samples": samples, "samples_of": of}, images


def _regions(diagnosis: Diagnosis, repaired: bool) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """The regions' entries and files; one for which there is no room keeps its entry and says so.

    Where all is repaired, the smallest level of each is enough: an issue may still be written of it.
    """
    folder = diagnosis.folder
    if folder is None:
        return [], {}
    entries: list[dict[str, Any]] = []
    files: dict[str, bytes] = {}
    taken = 0
    for entry in diagnosis.record.get("regions", []):
        levels = entry["levels"][:1] if repaired else entry["levels"]
        paths = _paths(folder / entry["folder"], {level["folder"] for level in levels})
        size = sum(path.stat().st_size for path in paths)
        if taken + size > (_REPAIRED_BYTES if repaired else _REGION_BYTES):
            left_out = f"no room for its {size / 2**20:.1f} MiB"
            entries.append({**entry, "levels": [], "target": [], "left_out": left_out})
            continue
        taken += size
        entries.append({**entry, "levels": levels})
        files |= {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return entries, files


def _paths(region: Path, levels: set[str]) -> list[Path]:
    """The files of a region, of the levels named."""
    found = [path.relative_to(region) for path in sorted(region.rglob("*")) if path.is_file()]
    return [region / path for path in found if len(path.parts) == 1 or path.parts[0] in levels]
