"""The page's head: the verdict, the two files, and the figures that matter most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.certificate.faults import read_faults
from safeconvert.certificate.untrusted_json import mapping, number, text
from safeconvert.core.formats import TITLES
from safeconvert.report.proof import proof_words
from safeconvert.report.sections.numbers import figure, sentence, share

_VERDICTS = {
    "verified": ("Verified", "good"),
    "not_equivalent": ("Not equivalent", "bad"),
    "no_route": ("No route could convert", "bad"),
    "no_verdict": ("No verdict possible", "warn"),
    "unusable_input": ("Could not begin", "warn"),
    "unreadable": ("Cannot be read here", "warn"),
}


def head(predicate: Mapping[str, Any], certificate: str) -> dict[str, Any]:
    """The verdict with its reason, what was repaired, and the tiles."""
    certified = text(predicate.get("verdict"))
    verdict, tone = _VERDICTS.get(certified, (f"Verdict: {certified}", "warn"))
    sides = {role: mapping(predicate.get(role)) for role in ("source", "target")}
    files = {role: text(side.get("path")).rsplit("/", 1)[-1].removesuffix(".rejected") for role, side in sides.items()}
    formats = {
        f"{r}_format": TITLES.get(str(side.get("format")), text(side.get("format"))) for r, side in sides.items()
    }
    repair = mapping(predicate.get("repair"))
    before, after = mapping(repair.get("before")), mapping(repair.get("after"))
    repaired = ""
    if repair.get("lift"):
        repaired = (
            f"{share(before.get('discrepancy')).text} → {share(after.get('discrepancy')).text} of inputs differ; "
            f"{text(repair.get('lift'))}."
        )
    return {
        "verdict": verdict, "tone": tone, "reason": sentence(text(predicate.get("reason"))), "certificate": certificate,
        "repaired": repaired, "tiles": _tiles(predicate), **files, **formats,
    }  # fmt: skip


def _tiles(predicate: Mapping[str, Any]) -> list[dict[str, str]]:
    figures = mapping(mapping(predicate.get("verification")).get("source native vs target native"))
    tiles = []
    if figures:
        samples, labels = number(figures.get("samples")) or 0, number(figures.get("disagreements")) or 0
        beyond = number(figures.get("beyond_tolerance")) or 0
        tiles.append({"title": "Inputs that differ", "value": f"{max(labels, beyond):.0f} of {samples:.0f}",
                      "small": f"{labels:.0f} by label or value, {beyond:.0f} beyond tolerance"})  # fmt: skip
        bound = number(figures.get("upper_bound"))
        below = "-" if bound is None else f"< {bound:.2%}"
        sure = "with 95 % confidence, for inputs like these"
        if mapping(predicate.get("inputs")).get("generated") is not True:  # made-up inputs come from nowhere
            tiles.append({"title": "Disagreement rate", "value": f"{labels / samples:.1%}" if labels and samples else below,
                          "small": f"{below} {sure}" if labels and samples and (bound or 0) < 1 else sure if not labels else
                          "of the inputs that were tried"})  # fmt: skip
        tiles.append({"title": "Largest distance", "value": figure(figures.get("max_abs")).text,
                      "small": f"{figure(figures.get('relative')).text} of the output's size"})  # fmt: skip
    words = proof_words(predicate.get("proof"))
    if words:
        tiles.append({"title": "Proof", "value": "proven", "small": words.removeprefix("proven ")})
    faults = read_faults(predicate)
    if faults:
        repaired = sum(fault.repaired for fault in faults)
        tiles.append({"title": "Faults", "value": str(len(faults)), "small": f"{repaired} repaired in the target"})
    return tiles
