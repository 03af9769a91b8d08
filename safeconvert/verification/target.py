"""A native target compared with its source, on the steering inputs first and on the held-out ones for the verdict."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import evaluate, export
from safeconvert.verification.native import against_export, compare, feed_across
from safeconvert.verification.rounding import settled
from safeconvert.verification.source import Source, chunks_for
from safeconvert.verification.types import Verification
from safeconvert.workers.run import Context
from safeconvert.workers.session import Session


def hold_against(
    context: Context,
    threads: ThreadPoolExecutor,
    source: Source,
    session: Session,
    request: ModelRequest,
    agreed: Contract,
    settings: VerifySettings,
    opset: int,
) -> Verification:
    """Run a target natively and through ONNX, side by side, and compare.

    Raises:
        AdapterFailure: it does not run natively.
        NotEquivalent: its outputs are not the declared ones.
    """
    data = source.data
    exporting = threads.submit(
        export, context, "convert", session.adapter.format, request, session.signature, opset, "target"
    )
    try:
        feeds = feed_across(agreed, data.chunks, context.folder("feed"))
        outputs = evaluate(context, session, feeds, "running the target")
        figures = compare(agreed, source.outputs, outputs, data.chunks, settings)
    finally:
        exported = exporting.result()
    refuted = len(source.steering) > 0 and not figures.result(source.steering).equal
    native = figures.result(source.steering if refuted else source.held_out)
    exporter = against_export(context, outputs, exported, chunks_for(data, feeds), settings, source.held_out, "target")
    found = Verification(agreed, native, exporter, "", session.signature, exported, outputs)
    found = settled(context, source, found, figures, settings)
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
