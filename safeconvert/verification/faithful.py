"""Whether an ONNX form is its native model, as far as localization needs it to be."""

from __future__ import annotations

import math

from safeconvert.core.faults import ExporterVerdict
from safeconvert.verification.types import ExporterCheck

_NEAR = 100
"""How many times farther a target is from its source than an ONNX form from its native model, for the form to serve."""


def export_is_faithful(check: ExporterCheck, apart: float) -> bool:
    """Whether an ONNX form is its native model, or so near that what lies between source and target is another matter.

    Deep nets amplify rounding to about the tolerance; a form that is a hundredth as far from its model as the target is
    from the source, and gives all of its labels, still shows the target's faults. The verdict stays native.

    Args:
        check: the form compared with its native model.
        apart: largest relative distance of source and target.
    """
    if check.verdict in (ExporterVerdict.EQUAL, ExporterVerdict.NONE):
        return True
    return bool(check.all_figures) and all(
        figures.disagreements == 0
        and figures.nonfinite == 0
        and math.isfinite(figures.relative)
        and _NEAR * figures.relative <= apart
        for figures in check.all_figures
    )
