"""One route walked, and its target held against the source."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from safeconvert.adapting import ConvertReply, ModelRequest, Permutation
from safeconvert.context import Context
from safeconvert.errors import ExitCode, SafeconvertError, UnusableInput
from safeconvert.formats import detect
from safeconvert.isolation import AdapterFailure, first_line
from safeconvert.models import cause_of, evaluate, export, open_model
from safeconvert.options import ConvertOptions
from safeconvert.registry import Route
from safeconvert.results import Attempt, Verification
from safeconvert.rounding import settled
from safeconvert.route import Candidate, Steps, walk
from safeconvert.runtime.session import Session
from safeconvert.signature import Signature
from safeconvert.source import Source, chunks_for
from safeconvert.verification import against_export, compare, feed_across
from safeconvert.verify.comparison import Comparison
from safeconvert.verify.contract import Contract, contract
from safeconvert.verify.layout import LayoutMismatch, show
from safeconvert.verify.settings import VerifySettings


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


def try_route(
    context: Context,
    threads: ThreadPoolExecutor,
    way: Route,
    source: Source,
    name: str,
    options: ConvertOptions,
    begun: Future[Candidate] | None,
    steps: Steps | None = None,
) -> Attempt:
    """Walk one route (or wait for the walk begun) and hold its target against the source.

    Steps are those that other routes of the same source have walked.

    Never raises for what the route does wrong.
    """
    signature = source.session.signature
    try:
        if begun is not None:
            candidate = begun.result()
        else:
            candidate = walk(
                context,
                way,
                source.request,
                signature,
                source.exported,
                name,
                options.opset,
                options.optimize,
                options.arguments,
                steps,
            )
    except (AdapterFailure, UnusableInput) as error:
        return Attempt(way, "crashed", _failure_line(error), str(error.log))
    try:
        made = detect(candidate.path)
        if made.format != options.target_format:
            raise UnusableInput(f"{candidate.path.name}: {way.names[-1]} wrote a {made.format} file")
        request = ModelRequest(
            str(candidate.path),
            candidate_shapes=suggested_shapes(signature),
            trust_pickle=options.model.trust_pickle,
        )
        with context.phases.phase("loading the target"):
            session = open_model(context, "target", options.target_format, request)
    except (AdapterFailure, UnusableInput) as error:
        reason = f"{way.names[-1]} wrote a target that does not load: {cause_of(error)}"
        return Attempt(way, "crashed", reason, str(error.log), candidate if candidate.path.exists() else None)
    try:
        try:
            agreed = _contract(signature, session.signature, candidate.reply, options)
            require_sizes(source, agreed)
        except LayoutMismatch as mismatch:
            reason = first_line(mismatch.message)
            return Attempt(way, "not_equivalent", reason, "", candidate, interface=session.signature)
        verification = hold_against(context, threads, source, session, request, agreed, options.verify, options.opset)
    except AdapterFailure as failure:
        reason = f"the target does not run: {failure.cause}"
        return Attempt(way, "no_verdict", reason, str(failure.log), candidate)
    except SafeconvertError as error:
        outcome = "not_equivalent" if error.exit_code is ExitCode.NOT_EQUIVALENT else "no_verdict"
        return Attempt(way, outcome, error.message, error.log, candidate)
    outcome = "verified" if verification.native.equal else "not_equivalent"
    return Attempt(way, outcome, verification.reason, "", candidate, verification)


def _contract(source: Signature, target: Signature, reply: ConvertReply, options: ConvertOptions) -> Contract:
    """The contract that the converters declare; what they leave unsaid is unchanged."""

    def declared(names: Sequence[str], moved: tuple[Permutation | None, ...]) -> dict[str, Permutation | None]:
        padded = moved + (None,) * (len(names) - len(moved))
        return dict(zip(names, padded, strict=False))

    return contract(
        source,
        target,
        declared([spec.name for spec in source.inputs], reply.inputs),
        declared([spec.name for spec in source.outputs], reply.outputs),
        options.layouts,
    )


def suggested_shapes(signature: Signature) -> tuple[tuple[int, ...], ...]:
    """Shapes for a target that declares none: the source's, and the same with its channels moved."""
    shapes = []
    for spec in signature.inputs:
        shape = tuple(size or 0 for size in spec.shape)
        shapes.append(shape)
        if 3 <= len(shape) <= 5:
            shapes += [(shape[0], *shape[2:], shape[1]), (shape[0], shape[-1], *shape[1:-1])]
    return tuple(shapes)


def moved(agreed: Contract) -> ConvertReply:
    """The orders of dimensions of a contract, as a converter would declare them."""
    return ConvertReply(
        tuple(tensor.permutation for tensor in agreed.inputs), tuple(tensor.permutation for tensor in agreed.outputs)
    )


def require_sizes(source: Source, agreed: Contract) -> None:
    """Raise LayoutMismatch where a target takes other sizes than the source, whose own are free, is really fed."""
    for tensor in agreed.inputs:
        fed = np.load(source.data.chunks[0].arrays[tensor.source.name], mmap_mode="r", allow_pickle=False).shape
        order = tensor.permutation or tuple(range(len(fed)))
        moved = [fed[axis] for axis in order]
        if any(size not in (None, own) for size, own in zip(tensor.target.shape[1:], moved[1:], strict=True)):
            raise LayoutMismatch(
                f"the source is fed {list(fed[1:])} a sample for {tensor.source.name}, which target "
                f"{show(tensor.target)} does not take",
                "convert again with the source's own input shape (--input-shape)",
            )


def _failure_line(error: AdapterFailure | UnusableInput) -> str:
    return first_line(str(error), 400)


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
