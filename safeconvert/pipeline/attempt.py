"""One route walked, and its target held against the source."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from safeconvert.adapter_api.protocol import ConvertReply, ModelRequest, Permutation
from safeconvert.compare.contract import Contract, contract
from safeconvert.compare.layout import LayoutMismatch
from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.models import cause_of, open_model
from safeconvert.conversion.route import Candidate, Steps, walk
from safeconvert.core.formats import detect
from safeconvert.core.signature import Signature
from safeconvert.core.text import first_line
from safeconvert.errors import AdapterFailure, ExitCode, SafeconvertError, UnusableInput
from safeconvert.pipeline.results import Attempt
from safeconvert.registry.routes import Route
from safeconvert.verification.interface import require_sizes, suggested_shapes
from safeconvert.verification.source import Source
from safeconvert.verification.target import hold_against
from safeconvert.workers.run import Context


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


def _failure_line(error: AdapterFailure | UnusableInput) -> str:
    return first_line(str(error), 400)
