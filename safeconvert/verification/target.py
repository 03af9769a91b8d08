"""A native target compared with its source, on the steering inputs first and on the held-out ones for the verdict."""

from __future__ import annotations

from dataclasses import replace

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import evaluate, export
from safeconvert.verification.native import against_export, compare, feed_across
from safeconvert.verification.pair import Pair
from safeconvert.verification.rounding import accept_rounding
from safeconvert.verification.source import chunks_for
from safeconvert.verification.types import Verification
from safeconvert.workers.run import Run


def verify_target(run: Run, pair: Pair, settings: VerifySettings) -> Verification:
    """Run a target natively and through ONNX, side by side, and compare it with its source.

    Raises:
        AdapterFailure: it does not run natively.
        NotEquivalent: its outputs are not the declared ones.
    """
    source, session, contract = pair.source, pair.target.session, pair.contract
    data = source.data
    exporting = run.threads.submit(
        export, run, "convert", session.adapter.format, pair.target.request, session.signature, source.exported.opset,
        "target",
    )  # fmt: skip
    try:
        feeds = feed_across(contract, data.chunks, run.folder("feed"))
        outputs = evaluate(run, session, feeds, "running the target")
        figures = compare(contract, source.outputs, outputs, data.chunks, settings)
    finally:
        exported = exporting.result()
    refuted = len(source.steering) > 0 and not figures.result(source.steering).equal
    native = figures.result(source.steering if refuted else source.held_out)
    exporter = against_export(run, outputs, exported, chunks_for(data, feeds), settings, source.held_out, "target")
    found = Verification(contract, native, exporter, "", session.signature, exported, outputs)
    found = accept_rounding(run, source, found, figures, settings)
    return replace(found, reason=_verdict_line(found.native))


def _verdict_line(figures: Comparison) -> str:
    """The verdict of a comparison in one line."""
    if figures.equal:
        return (
            f"equal on {figures.samples} held-out inputs: labels or values differ on {figures.disagreements}, "
            f"max-abs {figures.max_abs:.3g}; disagreement rate below {figures.upper_bound:.2%} with 95 % confidence"
            + _rounding(figures)
        )
    outputs = next((f" ({output.reason})" for output in figures.outputs if output.reason), "")
    return (
        f"differs on {max(figures.disagreements, figures.beyond_tolerance)} of {figures.samples} inputs: labels or values "
        f"on {figures.disagreements}, distance beyond tolerance on {figures.beyond_tolerance}, "
        f"max-abs {figures.max_abs:.3g}, relative {figures.relative:.3g}{outputs}"
    )


def _rounding(figures: Comparison) -> str:
    """What is said of inputs beyond tolerance by rounding alone; "" where there are none."""
    if not figures.rounded:
        return ""
    return (
        f"; beyond tolerance on {figures.rounded} by rounding alone: in float64 the two graphs are "
        f"{figures.exact_relative:.1g} of the scale apart"
    )
