"""How the certificate came about: files, inputs, settings, environment, attempts and times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.certificate.archive import Evidence
from safeconvert.certificate.replay import steps
from safeconvert.certificate.untrusted_json import mapping, mappings, sequence, text
from safeconvert.report.containment import contained
from safeconvert.report.sections.numbers import ROWS, items


def provenance(predicate: Mapping[str, Any], evidence: Evidence | None, certificate: str) -> dict[str, Any]:
    """Files with their digests, what the run was made with, its attempts, and the commands that repeat it."""
    environment = mapping(predicate.get("environment"))
    inputs, comparator = mapping(predicate.get("inputs")), mapping(predicate.get("comparator"))
    made_with = [
        ("inputs", f"{text(inputs.get('origin'))}; {text(inputs.get('used'))} of {text(inputs.get('count'))} used, "
                   f"{text(inputs.get('held_out'))} held out, split seed {text(inputs.get('split_seed'))}"),
        ("compared", f"{text(comparator.get('name'))}; {items(comparator.get('tolerances'))}"),
        ("containment", contained(predicate)),
        ("Python", text(environment.get("python"))),
        ("platform", f"{text(environment.get('platform'))}, {text(environment.get('cpus'))} processors"),
        ("packages", items(environment.get("packages"))),
    ]  # fmt: skip
    if sequence(predicate.get("notes")):
        made_with.append(("notes", "; ".join(text(note) for note in sequence(predicate.get("notes")))))
    files = []
    for role in ("source", "target", "evidence"):
        entry = mapping(predicate.get(role))
        for part, name in [(entry, role), *((part, f"{role} data") for part in mappings(entry.get("files")))]:
            if part:
                files.append({"role": name, "path": text(part.get("path")), "sha256": text(part.get("sha256"))})
    attempts = [
        {
            "route": " → ".join(map(text, sequence(attempt.get("route")))) or text(attempt.get("lift") or "as given"),
            "outcome": text(attempt.get("outcome")).replace("_", " "), "reason": text(attempt.get("reason")),
        }
        for attempt in list(mappings(predicate.get("attempts")))[:ROWS]
    ]  # fmt: skip
    return {
        "commands": steps(predicate, certificate), "attempts": attempts, "environment": made_with, "files": files,
        "seconds": [(str(name), text(value)) for name, value in mapping(predicate.get("seconds")).items()],
        "version": text(mapping(predicate.get("tool")).get("version")),
        "made_of": (certificate or "a run that wrote no certificate") + (" and its evidence" if evidence is not None else ""),
    }  # fmt: skip
