"""The verdict again, from the figures that a certificate gives: a certificate that contradicts itself must not pass."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from safeconvert.certificate.untrusted_json import mapping, mappings, number
from safeconvert.compare.settings import METRICS

NATIVE = "source native vs target native"
"""The pair that a verdict rests on."""
_CONFIDENCE = 0.95


def contradictions(predicate: Mapping[str, Any]) -> list[str]:
    """What in a verified certificate's figures does not go with that verdict; one line each.

    Every figure that a verdict needs has to be there: a certificate without them claims what it does not show.
    """
    figures = mapping(mapping(predicate.get("verification")).get(NATIVE))
    if not figures:
        return [f"verified, and no figures of {NATIVE}"]
    return list(_contradictions(predicate, figures))


def _contradictions(predicate: Mapping[str, Any], figures: Mapping[str, Any]) -> Iterator[str]:
    counts = {key: figures.get(key) for key in ("samples", "disagreements", "nonfinite", "beyond_tolerance")}
    for key, value in counts.items():
        if type(value) is not int or value < 0:
            yield f"verified, and {key} is {value!r}"
            return
    samples, disagreements, nonfinite, beyond = (int(value) for value in counts.values() if value is not None)
    if samples == 0:
        yield "verified on no held-out input"
        return
    if figures.get("equal") is not True:
        yield f"verified, and the comparison says equal: {figures.get('equal')!r}"
    held_out = mapping(predicate.get("inputs")).get("held_out")
    if held_out != samples:
        yield f"verified on {samples} inputs, of which {held_out!r} were held out"
    if max(disagreements, nonfinite, beyond) > samples:
        yield f"more inputs differ than the {samples} that were compared"
    if "metric" in predicate:
        yield from _metric(predicate, samples)
        yield from _rates(figures, disagreements, samples)
        yield from _outputs(figures, disagreements)
        return
    rounding = mapping(figures.get("rounding"))
    allowed = number(mapping(predicate.get("comparator")).get("max_discrepancy"))
    failing = max(disagreements, nonfinite, 0 if rounding else beyond)
    if allowed is None or failing / samples > allowed:
        yield f"verified, and {failing} of {samples} inputs differ where a share of {allowed!r} may"
    yield from _rates(figures, disagreements, samples)
    yield from _outputs(figures, disagreements)


def _metric(predicate: Mapping[str, Any], samples: int) -> Iterator[str]:
    """What in the figures of a metric does not go with a verdict that rests on it; the bound again, where its counts tell."""
    found = mapping(predicate.get("metric"))
    counts = [found.get(key) for key in ("samples", "lost", "won")]
    scored, lost, won = (count if type(count) is int and count >= 0 else -1 for count in counts)
    allowed, upper = number(found.get("allowed")), number(found.get("upper"))
    confidence = number(found.get("confidence"))
    if min(scored, lost, won) < 0 or lost + won > scored or not 0 < scored <= samples:
        yield f"metric of {counts[0]!r} inputs, {counts[1]!r} lost and {counts[2]!r} won, where {samples} were compared"
        return
    comparator = mapping(predicate.get("comparator"))
    if comparator.get("name") != found.get("metric") or number(comparator.get("max_drop")) != allowed:
        yield f"decided by {found.get('metric')!r} with {allowed!r}, and the comparator says {comparator.get('name')!r}"
    name, whole = found.get("metric"), found.get("whole") is True
    if not (name in METRICS and whole) and ":" not in str(name):
        yield f"decided by {name!r}, which is no metric of that kind"
    if confidence is None or not _CONFIDENCE <= confidence < 1:
        yield f"the bound of the metric holds with {confidence!r}; {_CONFIDENCE} is asked for"
        return
    if upper is None or allowed is None or not upper <= allowed:
        yield f"verified, and the metric may fall by {upper!r} where {allowed!r} is allowed"
        return
    if whole:
        from safeconvert.compare.drop import pairs_upper

        expected = pairs_upper(lost, won, scored, confidence)
        if not math.isclose(upper, expected, abs_tol=1e-6):
            yield f"upper bound {upper!r} of the metric is not that of {lost} lost and {won} won, {expected:.6g}"


def _rates(figures: Mapping[str, Any], disagreements: int, samples: int) -> Iterator[str]:
    rate, bound = number(figures.get("discrepancy")), number(figures.get("upper_bound"))
    if rate is None or not math.isclose(rate, disagreements / samples, abs_tol=1e-9):
        yield f"discrepancy {rate!r} is not {disagreements} of {samples}"
    expected = _upper_bound(disagreements, samples)
    if bound is None or not math.isclose(bound, expected, abs_tol=1e-6):
        yield f"upper bound {bound!r} is not that of {disagreements} of {samples}, {expected:.6g}"


def _outputs(figures: Mapping[str, Any], disagreements: int) -> Iterator[str]:
    outputs = list(mappings(figures.get("outputs")))
    if not outputs:
        yield "verified, and no output was compared"
    each = [output.get("disagreements") for output in outputs]
    known = [count for count in each if type(count) is int]
    if len(known) != len(each) or not max(known, default=0) <= disagreements <= sum(known):
        yield f"{disagreements} inputs differ, and by output {each!r}"
    for output in outputs:
        distance = number(output.get("max_abs"))
        if distance is None or math.isinf(distance) or distance < 0:
            yield f"verified, and output {output.get('name')!r} is {output.get('max_abs')!r} apart"


def _upper_bound(disagreements: int, samples: int) -> float:
    """The one-sided Clopper–Pearson bound; without disagreements it has a closed form, which needs no scipy."""
    if disagreements == 0:
        return float(1 - (1 - _CONFIDENCE) ** (1 / samples))
    from safeconvert.compare.bounds import clopper_pearson_upper

    return clopper_pearson_upper(disagreements, samples)
