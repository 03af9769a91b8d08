"""The verdict of a comparison in one line: what was compared, on how many distinct inputs of which origin, and what these exercise.

How far apart the models are, and the bound on the rate at which they differ, stand in the figures and not here.
"""

from __future__ import annotations

import numpy as np

from safeconvert.compare.comparison import Comparison
from safeconvert.core.formats import TITLES
from safeconvert.verification.coverage import Coverage
from safeconvert.verification.source import Source
from safeconvert.verification.types import Verification

MIXES = "the target mixes the samples of a call: it gives other outputs where they come in another order or number"
ALONE = (
    "no made-up inputs joined the given ones: the comparator is for real ones, the source does not run on others, or the "
    "target is fed otherwise"
)


def verdict_line(found: Verification, source: Source, refuting: np.ndarray | None = None) -> str:
    """What came of a comparison, in one line of about 110 columns.

    Args:
        found: the comparison.
        source: what the target was compared with, and the inputs.
        refuting: numbers of the inputs that steer decisions on which `found.native` rests; None where these are the held-out ones.
    """
    native, joined, searched = found.native, found.joined, found.searched
    title = f"the {TITLES[source.file.format]} source"
    if native.equal:
        return f"equal to {title} on {_inputs(found, source)}{covering(source.coverage.result())}{_propagated(native)}"
    if searched is not None and searched.figures is not None:
        rest = f"; equal on {_inputs(found, source, searched=False)}"
        return f"differs from {title} on {_differing(searched.figures, searched.inputs, 'searched')}{rest}"
    if joined is not None and not joined.equal and not native.disagreements and not native.beyond_tolerance:
        rest = f"; equal on {native.samples} given inputs"
        return f"differs from {title} on {_differing(joined, joined.samples, 'generated')}{rest}"
    return f"differs from {title} on {_differing(native, native.samples, _origin(source, refuting))}"


def rounding_remarks(found: Verification) -> tuple[str, ...]:
    """What is said of inputs beyond tolerance by rounding alone; () where there are none."""
    figures = found.native
    if not figures.rounded:
        return ()
    return (
        f"{figures.rounded} inputs are beyond tolerance by rounding alone: in float64 the two graphs are "
        f"{figures.exact_relative:.1g} of the scale apart",
    )


def _propagated(figures: Comparison) -> str:
    """On how many inputs NaN or Inf came out at the same places."""
    return f"; the same NaN and Inf at the same places on {figures.propagated}" if figures.propagated else ""


def covering(coverage: Coverage) -> str:
    """The share of what can be exercised that was, never rounded up to all of it."""
    if coverage.reason:
        return "; what they exercise is not known"
    items = len(coverage.items)
    return f", covering {100 * len(coverage.exercised) // items} % of {items} items" if items else ""


def _origin(source: Source, refuting: np.ndarray | None) -> str:
    if source.data.generated:
        return "generated"
    mixed = refuting is not None and bool((refuting >= source.data.inputs.count).any())
    return "given and generated" if mixed else "given"


def _inputs(found: Verification, source: Source, searched: bool = True) -> str:
    """How many inputs of each origin the verdict rests on."""
    parts = [f"{found.native.samples} {_origin(source, None)}"]
    parts += [f"{found.joined.samples} generated"] if found.joined is not None else []
    count = found.searched.inputs if searched and found.searched is not None else 0
    parts += [f"{count} searched"] if count else []
    return f"{', '.join(parts[:-1])} and {parts[-1]} inputs" if len(parts) > 1 else f"{parts[0]} inputs"


def _differing(figures: Comparison, count: int, origin: str) -> str:
    """On how many of how many inputs, in what, and how far."""
    values, far = figures.disagreements, figures.beyond_tolerance
    kind = f"labels or values on {values}, distance on {far}" if values and far else "labels or values"
    kind = kind if values else "distance beyond tolerance"
    kind += next((f": {output.reason}" for output in figures.outputs if output.reason), "")
    return f"{max(values, far)} of {count} {origin} inputs ({kind}); max-abs {figures.max_abs:.3g}, relative {figures.relative:.3g}"
