"""Steps that a conversion, a verification and a repair have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from safeconvert.adapter_api.protocol import UNCHANGED, WHOLE
from safeconvert.compare.contract import make_contract
from safeconvert.config.options import ConvertOptions, VerifyOptions
from safeconvert.conversion.models import model_request, open_given, open_model
from safeconvert.conversion.route import Candidate
from safeconvert.core.faults import RouteOutcome
from safeconvert.core.formats import ModelFile
from safeconvert.core.text import first_line
from safeconvert.errors import ExitCode, NotEquivalent, SafeconvertError
from safeconvert.pipeline.proposals import verify_proposals
from safeconvert.pipeline.results import Attempt, Compared, Conversion
from safeconvert.registry.manifest import Adapter
from safeconvert.repair.client import measure, onnx_pair
from safeconvert.repair.embed_preprocessing import OPTION, Verified, embed_preprocessing
from safeconvert.repair.preprocessing import check_preprocessing
from safeconvert.repair.types import PreprocessingFault
from safeconvert.verification.interface import moved, request_like, suggested_inputs, suggested_shapes
from safeconvert.verification.pair import Pair, TargetModel
from safeconvert.verification.source import Source
from safeconvert.verification.target_form import target_file, with_exporters_form
from safeconvert.verification.types import Verification
from safeconvert.workers.run import Run


def warm(run: Run, role: str, adapter: Adapter) -> None:
    """Start importing a framework while there is other work to do."""
    run.threads.submit(run.pool.warm, role, adapter.python, adapter.modules)


def shapes_of_target(
    run: Run, source: ModelFile, target: ModelFile, options: ConvertOptions | VerifyOptions
) -> tuple[tuple[int, ...], ...]:
    """Shapes for a source that declares none, where neither user nor data give them: those that the target takes."""
    declares = source.format != "torch" or source.variant == "exported_program"
    if declares or target.format == "torch" or options.data.path is not None or options.model.input_shapes:
        return ()
    session = open_given(run, "target", target, replace(model_request(target.path, options.model), part=WHOLE))
    if len(session.signature.inputs) != 1 or None in session.signature.inputs[0].shape[1:]:
        return ()
    shapes = suggested_shapes(session.signature)
    return shapes if target.format == "onnx" else shapes[::-1]  # channels first, as PyTorch has them


def open_existing(run: Run, file: ModelFile, source: Source, options: ConvertOptions | VerifyOptions) -> TargetModel:
    """Open the target of an existing conversion.

    Raises:
        UnusableInput: it does not load.
    """
    signature = source.session.signature
    request = replace(
        model_request(file.path, options.model, suggested_shapes(signature)),
        input_shapes={},
        candidate_inputs=suggested_inputs(signature),
    )
    return TargetModel(open_given(run, "target", file, request), request, Candidate(file.path, UNCHANGED, file.sha256))


def existing_pair(source: Source, target: TargetModel, options: ConvertOptions | VerifyOptions) -> Pair:
    """A source and the target of an existing conversion, whose converters declare nothing.

    Args:
        source: evaluated.
        target: opened.
        options: with the user's layouts.

    Raises:
        LayoutMismatch, LayoutAmbiguous, UnusableInput: as `make_contract`.
    """
    contract = make_contract(source.session.signature, target.session.signature, overrides=options.layouts)
    return Pair(source, replace(target, candidate=replace(target.candidate, reply=moved(contract))), contract)


def check_deployment(run: Run, source: Source, attempt: Attempt, options: ConvertOptions) -> PreprocessingFault | None:
    """What the deployment feeds a verified target otherwise, where it was named."""
    result = attempt.result
    if not options.data.target_preprocessing or not isinstance(result, Compared):
        return None
    request = request_like(result.candidate.path, source.session.signature)
    session = open_model(run, "target", options.target_format, request)
    pair = Pair(source, TargetModel(session, request, result.candidate), result.verification.contract)
    return check_preprocessing(run, pair, options.data, options.verify, result.verification.native)


def with_embedded_preprocessing(
    run: Run, attempts: Sequence[Attempt], source: Source, options: ConvertOptions
) -> list[Attempt]:
    """The attempts, the last of them verified, and after it the same target with the preprocessing built in.

    Raises:
        UnusableInput: the inputs are no folder of images, or the target has no ONNX form.
        NotEquivalent: no target with the preprocessing built in verified.
    """
    right = attempts[-1]
    if not isinstance(right.result, Compared):
        return list(attempts)
    converter = right.route.adapters[-1] if right.route.adapters else None
    verification = _with_exporters_form(run, source, right.result.candidate.path, right.result.verification, options)
    verified = Verified(right.result.candidate, verification, converter, right.diagnosis)
    proposals = embed_preprocessing(run, verified, source, options)
    tried = list(verify_proposals(run, proposals, right.route, options))
    if tried and tried[-1].verified:
        return [*attempts, *tried]
    reasons = "; ".join(first_line(one.reason.removeprefix(f"{one.lift}: ")) for one in tried)
    raise NotEquivalent(
        f"{OPTION}: no target with the preprocessing built in verified: {reasons or 'no route from ONNX makes one'}",
        "leave it out: what to feed the target is then among the obligations",
    )


def _with_exporters_form(
    run: Run, source: Source, path: Path, verification: Verification, options: ConvertOptions
) -> Verification:
    """A verification with an exporter's form of the target, which is named and converted as exporters do."""
    target = target_file(source, path, options.target_format, verification.target)
    return with_exporters_form(run, target, source, verification, options.verify)


def with_layer_errors(run: Run, conversion: Conversion) -> Conversion:
    """The errors along the layers added, where they are requested, no diagnosis holds them and both have an ONNX form."""
    decisive = conversion.decisive
    known = decisive.diagnosis is not None and decisive.diagnosis.record
    if not conversion.options.layer_errors or known or not isinstance(decisive.result, Compared):
        return conversion
    compared, options = decisive.result, conversion.options
    try:
        found = _with_exporters_form(run, conversion.source, compared.candidate.path, compared.verification, options)
        pair = onnx_pair(conversion.source, found)
        if pair is None:
            return conversion
        return replace(conversion, layers=measure(run, pair, conversion.options.verify))
    except SafeconvertError:
        return conversion  # an ONNX form that does not run; no verdict rests on it


def conclude(attempts: Sequence[Attempt]) -> tuple[ExitCode, str]:
    """The exit code and the reason, from what became of the routes."""
    by_outcome = {attempt.outcome: attempt for attempt in attempts}
    for outcome, code in (
        (RouteOutcome.VERIFIED, ExitCode.VERIFIED),
        (RouteOutcome.NOT_EQUIVALENT, ExitCode.NOT_EQUIVALENT),
        (RouteOutcome.NO_VERDICT, ExitCode.NO_VERDICT),
    ):
        if outcome in by_outcome:
            return code, by_outcome[outcome].reason
    return ExitCode.NO_ROUTE, _none_converted(attempts)


def _none_converted(attempts: Sequence[Attempt]) -> str:
    """Why no route could convert: the one reason, or the first of several; the attempts have all of them."""
    first, count = attempts[0], len(attempts)
    if count == 1:
        return f"{first.route}: {first.reason}"
    if all(attempt.reason == first.reason for attempt in attempts):
        return f"each of {count} routes: {first.reason}"
    return f"none of {count} routes converts it; {first.route}: {first.reason}"
