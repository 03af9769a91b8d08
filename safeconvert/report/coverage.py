"""What an equal verdict rests on, in one line: how near the models are, the bound where it means something, what no input exercised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.certificate.untrusted_json import mapping, number, sequence, text

_NAMED = 3
_MEANINGLESS = 0.5
_NATIVE = "source native vs target native"


def figures_line(predicate: Mapping[str, Any]) -> str:
    """`max-abs …, disagreement rate below … for inputs like the given ones`; "" where the models are not equal.

    The bound holds for inputs that come from where those compared do. It is left out of made-up inputs, which come from nowhere, and where
    it is above one half.
    """
    figures = mapping(mapping(predicate.get("verification")).get(_NATIVE))
    if figures.get("equal") is not True or predicate.get("verdict") != "verified":
        return ""
    furthest, bound = number(figures.get("max_abs")), number(figures.get("upper_bound"))
    line = "" if furthest is None else f"max-abs {furthest:.3g}"
    if mapping(predicate.get("inputs")).get("generated") is not False or bound is None or bound > _MEANINGLESS:
        return line
    return f"{line}; disagreement rate below {bound:.2%} with 95 % confidence, for inputs like the given ones"


def coverage_line(predicate: Mapping[str, Any]) -> str:
    """What of the source was not exercised: `not exercised: …`; "" where all was, or the certificate does not say."""
    coverage = mapping(predicate.get("coverage"))
    items, exercised = coverage.get("items"), coverage.get("exercised")
    if not isinstance(items, int) or not isinstance(exercised, int) or not items:
        return ""
    missing = [text(one) for one in sequence(coverage.get("missing"))]
    more = f" and {items - exercised - _NAMED} more" if items - exercised > _NAMED else ""
    where = f"only outputs were looked at ({text(coverage.get('reason'))})" if coverage.get("reason") else ""
    left_out = f"not exercised: {', '.join(missing[:_NAMED])}{more}" if missing else ""
    return "; ".join(filter(None, (where, left_out)))
