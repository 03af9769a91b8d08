"""Certificates of all shards of one set of inputs as one: counts add, maxima and sums combine, the bound is that of the sum.

A sample that stands in two shards counts once: each shard's records say which samples it compared. The first inputs, which every shard
compared, count once too, and have to have given the same figures in each.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safeconvert.certificate.digest import digest
from safeconvert.certificate.envelope import read_payload
from safeconvert.certificate.statement import parse_statement
from safeconvert.compare.comparison import Comparison
from safeconvert.compare.output_pair import Array
from safeconvert.compare.records import Kind, open_records, tally
from safeconvert.compare.tally import Moments, with_tally
from safeconvert.core.containment import Level, weakest
from safeconvert.errors import UnusableInput

NATIVE = "source native vs target native"
_ALIKE = ("tool", "contract", "comparator", "settings", "not_compared", "structure", "obligations")
_INPUTS = ("origin", "generated", "axis_0", "split_seed", "kinds", "nonfinite")
_SHARD = ("of", "first", "inputs", "figures_of_first", "counts_of_first")
_NOT_OF_ALL = ("shard", "shards", "made", "signer", "subject")


@dataclass(frozen=True)
class Shard:
    """One shard's certificate.

    Attributes:
        path: where it lies.
        predicate: its content.
        number, start, stop: which it is, and the numbers of its samples.
        moments: of its outputs.
        records: of the first inputs and of its own.
    """

    path: Path
    predicate: Mapping[str, Any]
    number: int
    start: int
    stop: int
    moments: tuple[Moments, ...]
    records: Array


def read_shard(path: Path, public_key: Path | None = None) -> Shard:
    """A shard's certificate with its records, both as they were written.

    Raises:
        UnusableInput: it is of no shard, or its records are missing or changed.
        Damaged, NotSigned, WrongSignature: as `read_payload`.
    """
    predicate = parse_statement(read_payload(path, public_key), str(path))
    entry = predicate.get("shard")
    if not isinstance(entry, Mapping):
        reason = predicate.get("reason", "") if predicate.get("verdict") != "verified" else "it is of all inputs"
        raise UnusableInput(f"{path}: not the certificate of a shard: {reason}", "make it with verify --shard I/N")
    try:
        moments = tuple(map(Moments.from_json, entry["moments"]))
        numbers = [entry[name] for name in ("number", "start", "stop", "first")]
        if any(type(number) is not int or number < 0 for number in numbers):
            raise ValueError("numbers of samples")
        named, sha256 = Path(str(entry["records"]["path"])), entry["records"]["sha256"]
    except (KeyError, TypeError, ValueError) as error:
        raise UnusableInput(f"{path}: describes its shard in other words: {error}") from error
    if named.is_absolute() or len(named.parts) != 1:
        raise UnusableInput(f"{path}: its records lie elsewhere; refused", "keep them beside it")
    file = path.absolute().parent / named
    if not file.is_file():
        raise UnusableInput(f"{file}: the records of {path.name} are not here", "keep both in one folder")
    if digest(file).sha256 != sha256:
        raise UnusableInput(f"{file}: changed since it was certified", "take it again from where it was made")
    number, start, stop, first = numbers
    records = open_records(file, len(moments))
    if len(records) != first + stop - start or not ((records["kind"][:first] & Kind.FIRST) > 0).all():
        raise UnusableInput(f"{file}: holds {len(records)} records where {path.name} says {first + stop - start}")
    return Shard(path, predicate, number, start, stop, moments, records)


def merged(shards: Sequence[Shard], folder: Path, scratch: Path | None = None) -> dict[str, Any]:
    """The content of the certificate of all inputs, for a certificate in `folder`.

    Args:
        shards: all of them, in any order.
        folder: what paths are relative to.
        scratch: where records are sorted meanwhile.

    Raises:
        UnusableInput: one is missing, stands there twice, or is of other models, inputs, settings or versions.
    """
    try:
        return _merged(shards, folder, scratch)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnusableInput(f"a shard's certificate says something else than safeconvert writes: {error}") from error


def _merged(shards: Sequence[Shard], folder: Path, scratch: Path | None) -> dict[str, Any]:
    ordered = sorted(shards, key=lambda shard: shard.number)
    _require_whole(ordered)
    _require_alike(ordered)
    first = ordered[0]
    entry = first.predicate["shard"]
    behind = entry["first"]
    parts = [(0, first.records[:behind])]
    parts += [(shard.start, shard.records[behind:]) for shard in ordered]
    counted = tally(parts, len(first.moments), scratch)
    moments = first.moments
    for shard in ordered[1:]:
        moments = tuple(one.merge(other) for one, other in zip(moments, shard.moments, strict=True))
    figures = Comparison.from_json(entry["figures_of_first"])
    native = with_tally(figures, counted, moments, float(first.predicate["comparator"]["max_discrepancy"]))
    apart = max(float(shard.predicate["shard"]["exact_relative"]) for shard in ordered)
    native = replace(native, exact_relative=max(native.exact_relative, apart))
    kept = {key: value for key, value in first.predicate.items() if key not in _NOT_OF_ALL}
    moved: dict[str, Any] = {
        key: _moved(kept[key], first.path, folder) for key in ("source", "target", "evidence") if key in kept
    }
    return {
        **kept,
        **moved,
        "verdict": "verified" if native.equal else "not_equivalent",
        "reason": _reason(native, len(ordered)),
        "verification": {**kept["verification"], NATIVE: native.to_json()},
        "inputs": _inputs(ordered, counted.samples, counted.left_out),
        "containment": _weakest(ordered),
        "seconds": _seconds(ordered),
        "shards": [_listed(shard, folder) for shard in ordered],
    }


def _inputs(shards: Sequence[Shard], more: int, left_out: int) -> dict[str, Any]:
    """The inputs of all shards; their digest is over those of the shards' samples, in order."""
    first = shards[0].predicate
    counts = first["shard"]["counts_of_first"]
    total = hashlib.sha256("".join(shard.predicate["inputs"]["sha256"] for shard in shards).encode())
    return {
        **first["inputs"],
        "sha256": total.hexdigest(),
        "count": counts["count"] + shards[-1].stop - shards[0].start,
        "distinct": counts["distinct"] + more + left_out,
        "used": counts["used"] + more,
        "held_out": counts["held_out"] + more,
    }


def _weakest(shards: Sequence[Shard]) -> Any:
    """What kept the workers of the shard with the weakest containment from the user's files."""
    by_level = {
        Level(shard.predicate["containment"]["level"]): shard.predicate["containment"] for shard in reversed(shards)
    }
    return by_level[weakest(by_level)]


def _seconds(shards: Sequence[Shard]) -> dict[str, float]:
    """What each phase took in all shards together."""
    found: dict[str, float] = {}
    for shard in shards:
        for phase, seconds in shard.predicate["seconds"].items():
            found[phase] = round(found.get(phase, 0.0) + float(seconds), 3)
    return dict(sorted(found.items()))


def _require_whole(shards: Sequence[Shard]) -> None:
    """Raise UnusableInput unless these are all shards, each once, without a gap."""
    if not shards:
        raise UnusableInput("no certificates of shards", "name those that verify --shard wrote")
    entry = shards[0].predicate["shard"]
    numbers = [shard.number for shard in shards]
    wanted = list(range(1, entry["of"] + 1)) if type(entry["of"]) is int and entry["of"] <= len(shards) else []
    if numbers != wanted:
        named = ", ".join(map(str, numbers))
        raise UnusableInput(
            f"shards {named} of {entry['of']}: not each of them once", "name all certificates of one set"
        )
    borders = [entry["first"], *(shard.stop for shard in shards)]
    starts = [shard.start for shard in shards]
    if starts != borders[:-1] or borders[-1] != entry["inputs"]:
        raise UnusableInput(
            "the shards leave a gap, or overlap", "make them with one version of safeconvert and its settings"
        )


def _require_alike(shards: Sequence[Shard]) -> None:
    """Raise UnusableInput where a shard is of other models, inputs or settings than the first."""
    wanted = _identity(shards[0])
    first = shards[0].records[: shards[0].predicate["shard"]["first"]]
    for shard in shards[1:]:
        found = _identity(shard)
        other = next((key for key in wanted if found[key] != wanted[key]), None)
        if other is None and (shard.records[: len(first)] != first).any():
            other = "first inputs"
        if other is not None:
            raise UnusableInput(
                f"{shard.path}: of another {other} than {shards[0].path}", "make all shards of the same files and flags"
            )


def _identity(shard: Shard) -> dict[str, str]:
    """What has to be the same in all shards, each as text."""
    predicate = shard.predicate
    found: dict[str, Any] = {key: predicate.get(key) for key in _ALIKE}
    found |= {f"inputs: {key}": predicate["inputs"].get(key) for key in _INPUTS}
    found |= {f"shard: {key}": predicate["shard"].get(key) for key in _SHARD}
    found["versions of packages"] = predicate["environment"]["packages"]
    for role in ("source", "target"):
        entry = predicate[role]
        found[role] = [
            entry["sha256"],
            entry["format"],
            [file["sha256"] for file in entry["files"]],
            entry.get("part"),
            entry.get("cut"),
        ]
    return {key: json.dumps(value, sort_keys=True) for key, value in found.items()}


def _listed(shard: Shard, folder: Path) -> dict[str, Any]:
    found = digest(shard.path)
    return {
        "path": _relative(shard.path, folder),
        "sha256": found.sha256,
        "kind": found.kind,
        "number": shard.number,
        "start": shard.start,
        "stop": shard.stop,
        "samples": shard.predicate["inputs"]["sha256"],
    }


def _moved(entry: Any, certificate: Path, folder: Path) -> Any:
    """A file's entry with its paths relative to another folder."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("path"), str):
        return entry
    files = {"files": [_moved(file, certificate, folder) for file in entry["files"]]} if "files" in entry else {}
    return {**entry, **files, "path": _relative(certificate.absolute().parent / entry["path"], folder)}


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.parent.resolve() / path.name, folder.resolve())).as_posix()


def _reason(native: Comparison, shards: int) -> str:
    if native.equal:
        return f"equal to the source on {native.samples} inputs in {shards} shards"
    differing = max(native.disagreements, native.beyond_tolerance)
    return (
        f"differs from the source on {differing} of {native.samples} inputs in {shards} shards; max-abs {native.max_abs:.3g}, "
        f"relative {native.relative:.3g}"
    )
