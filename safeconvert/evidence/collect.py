"""Gather the evidence of a run while its workers' files are still there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safeconvert.diagnosis import Diagnosis
from safeconvert.evidence.archive import Evidence
from safeconvert.evidence.samples import differing_samples
from safeconvert.results import Attempt, Conversion, PairVerification, Verification
from safeconvert.source import Source
from safeconvert.verify.settings import VerifySettings

_REGION_BYTES = 64 << 20  # of all regions; evidence lies beside a model and is handed on with it


def of_conversion(conversion: Conversion) -> Evidence | None:
    """The evidence of a conversion or repair; None where nothing differed.

    Content: `along` (errors at the cut points, before and after the repair), `graphs` (the nodes of both ONNX forms),
    `regions` (see `localize.reproduction`) and `samples` (see `samples`), with `samples_of` saying of which target.
    """
    shown = _shown(conversion)
    diagnosis = conversion.decisive.diagnosis
    if shown is None or shown.verification is None:
        return None
    of = "the target as it was converted" if shown is not conversion.decisive else "the target"
    return _evidence(conversion.source, shown.verification, conversion.options.verify, diagnosis, of)


def of_pair(pair: PairVerification) -> Evidence | None:
    """The evidence of a verification; None where nothing differed."""
    if not _differs(pair.verification):
        return None
    return _evidence(pair.source, pair.verification, pair.options.verify, None, "the target")


def _shown(conversion: Conversion) -> Attempt | None:
    """The attempt whose differing inputs are shown: the decisive one, or the wrong one that it repaired."""
    wrong = [a for a in conversion.attempts if a.verification is not None and _differs(a.verification)]
    return next((attempt for attempt in wrong if attempt is conversion.decisive), next(iter(wrong), None))


def _differs(verification: Verification) -> bool:
    """Whether any of the inputs that give the verdict is not equal, also where the settings allow for some."""
    figures = verification.native
    return not figures.equal or figures.disagreements > 0 or figures.beyond_tolerance > 0


def _evidence(
    source: Source, verification: Verification, settings: VerifySettings, diagnosis: Diagnosis | None, of: str
) -> Evidence:
    samples, files = differing_samples(
        source.data.inputs, source.session.signature.inputs, source.data.chunks, verification.agreed, source.outputs,
        verification.outputs, settings,
    )  # fmt: skip
    content: dict[str, Any] = {"along": [], "graphs": {}, "regions": [], "samples": samples, "samples_of": of}
    if diagnosis is not None:
        content |= diagnosis.record
        content["regions"], regions = _regions(diagnosis)
        files |= regions
    return Evidence(content, files)


def _regions(diagnosis: Diagnosis) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """The regions' entries and files; one for which there is no room keeps its entry and says so."""
    entries: list[dict[str, Any]] = []
    files: dict[str, bytes] = {}
    taken = 0
    for entry in diagnosis.record["regions"]:
        paths = [path for path in sorted((diagnosis.folder / entry["folder"]).rglob("*")) if path.is_file()]
        size = sum(path.stat().st_size for path in paths)
        if taken + size > _REGION_BYTES:
            entries.append({**entry, "levels": [], "target": [], "left_out": f"no room for its {size >> 20} MiB"})
            continue
        taken += size
        entries.append(entry)
        files |= {_name(path, diagnosis.folder): path.read_bytes() for path in paths}
    return entries, files


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
