"""The verdict of a comparison in one line."""

from __future__ import annotations

from safeconvert.compare.comparison import Comparison

MIXES = "the target mixes the samples of a call: it gives other outputs where they come in another order or number"
ALONE = (
    "no made-up inputs joined the given ones: the comparator is for real ones, the source does not run on others, or the "
    "target is fed otherwise"
)
_MEANINGLESS = 0.5


def verdict_line(native: Comparison, joined: Comparison | None) -> str:
    """What was compared, on how many distinct inputs, and what came of it.

    Args:
        native: on the held-out inputs, or on the steering ones where those refuted the target.
        joined: on inputs made up beside given ones; None where there are none.
    """
    if native.equal:
        beside = f" and on {joined.samples} made-up ones" if joined is not None else ""
        return (
            f"equal on {native.samples} held-out inputs{beside}: labels or values differ on {native.disagreements}, "
            f"max-abs {native.max_abs:.3g}" + _bound(native) + _rounding(native)
        )
    if joined is not None and not joined.equal and not native.disagreements and not native.beyond_tolerance:
        return f"equal on {native.samples} held-out inputs, and {_differs(joined, 'made-up inputs')}"
    return _differs(native, "inputs")


def _differs(figures: Comparison, what: str) -> str:
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
    """What is said of inputs beyond tolerance by rounding alone; "" where there are none."""
    if not figures.rounded:
        return ""
    return (
        f"; beyond tolerance on {figures.rounded} by rounding alone: in float64 the two graphs are "
        f"{figures.exact_relative:.1g} of the scale apart"
    )
