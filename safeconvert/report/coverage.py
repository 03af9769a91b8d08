"""What a verification exercised of the source, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.certificate.untrusted_json import mapping, sequence, text

_NAMED = 3


def coverage_line(predicate: Mapping[str, Any]) -> str:
    """`exercised: 41 of 43 …; not: …`; "" where the certificate does not say."""
    coverage = mapping(predicate.get("coverage"))
    items, exercised = coverage.get("items"), coverage.get("exercised")
    if not isinstance(items, int) or not isinstance(exercised, int) or not items:
        return ""
    missing = [text(one) for one in sequence(coverage.get("missing"))]
    more = f" and {items - exercised - _NAMED} more" if items - exercised > _NAMED else ""
    left_out = f"; not: {', '.join(missing[:_NAMED])}{more}" if missing else ""
    impossible = coverage.get("impossible")
    never = (
        f"; {impossible} more are out of any input's reach" if isinstance(impossible, int) and impossible > 0 else ""
    )
    where = "" if not coverage.get("reason") else f" (outputs only: {text(coverage.get('reason'))})"
    return f"exercised: {exercised} of {items} branches, bounds, table rows and outputs{never}{where}{left_out}"
