"""The verdict of a comparison in one line."""

from __future__ import annotations

from safeconvert.compare.comparison import Comparison
from safeconvert.verification.types import Verification

MIXES = "the target mixes the samples of a call: it gives other outputs where they come in another order or number"
ALONE = (
    "no made-up inputs joined the given ones: the comparator is for real ones, the source does not run on others, or the "
    "target is fed otherwise"
)
_MEANINGLESS = 0.5


def verdict_line(found: Verification) -> str:
    """What was compared, on how many distinct inputs of which origin, and what came of it; the refuting part of them where one is."""
    native, joined, searched = found.native, found.joined, found.searched
    if native.equal:
        return (
            f"equal on {_inputs(found)}: labels or values differ on {native.disagreements}, "
            f"max-abs {native.max_abs:.3g}" + _bound(native) + _rounding(native)
        )
    if searched is not None and searched.figures is not None:
        at = searched.figures
        return f"equal on {native.samples} held-out inputs, and {_differs(at, f'{searched.inputs} inputs searched', at.samples)}"
    if joined is not None and not joined.equal and not native.disagreements and not native.beyond_tolerance:
        return f"equal on {native.samples} held-out inputs, and {_differs(joined, 'made-up inputs')}"
    return _differs(native, "inputs")


def _inputs(found: Verification) -> str:
    """How many of each origin."""
    parts = [f"{found.native.samples} held-out inputs"]
    beside = [(found.joined.samples, "made-up")] if found.joined is not None else []
    beside += [(found.searched.inputs, "searched")] if found.searched is not None and found.searched.inputs else []
    named = [f"{count} {what}" for count, what in beside]
    return " and ".join([", ".join([*parts, *named[:-1]]), f"{named[-1]} ones"]) if named else parts[0]


def _differs(figures: Comparison, what: str, found: int = 0) -> str:
    if found:  # by a search, which ends there
        return (
            f"differs on {found} of {what}: max-abs {figures.max_abs:.3g}, relative {figures.relative:.3g}, labels or values "
            f"on {figures.disagreements}"
        )
    outputs = next((f" ({output.reason})" for output in figures.outputs if output.reason), "")
    return (
        f"differs on {max(figures.disagreements, figures.beyond_tolerance)} of {figures.samples} {what}: labels or values "
        f"on {figures.disagreements}, distance beyond tolerance on {figures.beyond_tolerance}, "
        f"max-abs {figures.max_abs:.3g}, relative {figures.relative:.3g}{outputs}"
    )


def _bound(figures: Comparison) -> str:
    """The bound on the disagreement rate, where it is below one half; else it says nothing."""
    if figures.upper_bound > _MEANINGLESS:
        return ""
    return f"; disagreement rate below {figures.upper_bound:.2%} with 95 % confidence"


def _rounding(figures: Comparison) -> str:
    """What the verdict states about inputs beyond tolerance by rounding alone; "" where there are none."""
    if not figures.rounded:
        return ""
    return (
        f"; beyond tolerance on {figures.rounded} by rounding alone: in float64 the two graphs are "
        f"{figures.exact_relative:.1g} of the scale apart"
    )
