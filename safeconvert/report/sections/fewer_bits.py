"""What fewer bits cost: bytes and time of the target beside its float twin, and what was done about which operators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.certificate.untrusted_json import mapping, mappings, number, text
from safeconvert.report.quantization import fidelity_words, how_reduced, operator_counts, repair_remarks
from safeconvert.report.sections.numbers import ROWS, Shown, figure, sentence, share

_FILES = (("in float", "float"), ("with nothing done", "raw"), ("this target", ""))


def fewer_bits(predicate: Mapping[str, Any]) -> dict[str, Any]:
    """The scheme, a row for each file, and one for each operator or tensor that was repaired; nothing where nothing was reduced."""
    found = mapping(predicate.get("quantization"))
    repairs, stored = list(mappings(found.get("repairs"))), list(mappings(found.get("stored_anew")))
    words = [*how_reduced(found), *operator_counts(found), fidelity_words(predicate)] if found else []
    done = [
        *((text(one.get("operator")), text(one.get("kind")), text(one.get("means")), one) for one in repairs),
        *((_first(one.get("tensor")), "tensor", f"stored anew, had {text(one.get('was'))}", one) for one in stored),
    ]
    return {
        "reduced": sentence(", ".join(filter(None, words))),
        "costs": _costs(found),
        "measured_by": _measured_by(mapping(found.get("latency"))),
        "more_bits": [
            {"operator": operator, "kind": kind, "means": means, **_without(mapping(one.get("without")))}
            for operator, kind, means, one in done[:ROWS]
        ],
        "more_bits_left": max(0, len(done) - ROWS),
        "bits_remarks": [sentence(f"{line}.") for line in repair_remarks(found)],
    }


def _costs(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Bytes and milliseconds of each file of which one of both is known, both also as shares of the float file's."""
    took, rows = mapping(found.get("latency")), []
    whole, slow = number(found.get("float_bytes")), number(took.get("float_ms"))
    for title, key in _FILES:
        size = number(found.get(f"{key}_bytes" if key else "bytes"))
        time = number(took.get(f"{key or 'target'}_ms"))
        if size is not None or time is not None:
            rows.append({"title": title, "bytes": figure(size, ".0f"), "of_bytes": _of(size, whole),
                         "ms": figure(time), "of_ms": _of(time, slow)})  # fmt: skip
    return rows


def _of(value: float | None, whole: float | None) -> Shown:
    return share(value / whole if value is not None and whole else None)


def _measured_by(took: Mapping[str, Any]) -> str:
    calls, threads = number(took.get("calls")), number(took.get("threads"))
    if calls is None or threads is None:
        return ""
    return f"Milliseconds are medians of {calls:.0f} calls, {threads:.0f} threads, {text(took.get('runtime'))}."


def _without(figures: Mapping[str, Any]) -> dict[str, Any]:
    """What the steering inputs lose where this one repair is undone; "-" where that was not tried."""
    return {"fall": share(figures.get("fall")), "differ": share(figures.get("discrepancy"))}


def _first(name: object) -> str:
    return text(name).partition(";")[0]
