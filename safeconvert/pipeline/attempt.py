"""One route tried: converted along it, and the target compared with its source."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future

from safeconvert.adapter_api.protocol import ConvertReply, Permutation
from safeconvert.compare.contract import Contract, make_contract
from safeconvert.compare.layout import LayoutMismatch
from safeconvert.compare.settings import VerifySettings
from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.models import cause_of, open_model
from safeconvert.conversion.route import Candidate, RouteRun, convert_along, convert_fixed
from safeconvert.core.formats import detect
from safeconvert.core.signature import Signature
from safeconvert.core.text import first_line
from safeconvert.errors import AdapterFailure, ExitCode, SafeconvertError, UnusableInput
from safeconvert.pipeline.results import Compared, Crashed, Incomparable, Result, Unrunnable
from safeconvert.verification.interface import request_like, require_sizes
from safeconvert.verification.pair import Pair, TargetModel
from safeconvert.verification.snapshot import sealed
from safeconvert.verification.source import Source
from safeconvert.verification.target import verify_target
from safeconvert.workers.run import Run

_FAILURE = 400  # characters of a converter's failure


def try_route(run: Run, job: RouteRun, source: Source, prefetched: Future[Candidate] | None) -> Result:
    """Convert along one route (or wait for the conversion that began before) and compare its target with the source.

    Never raises for what the route does wrong.
    """
    try:
        candidate = prefetched.result() if prefetched is not None else convert_along(run, job)
    except (AdapterFailure, UnusableInput) as error:
        return Crashed(first_line(str(error), _FAILURE))
    result = open_and_compare(run, candidate, job.route.names[-1], source, job.options)
    if not isinstance(result, Compared) or not result.verification.sizes.differing:
        return result
    try:  # right at the sizes of the inputs, and for these alone
        candidate = convert_fixed(run, job)
    except (AdapterFailure, UnusableInput):
        return result
    fixed = open_and_compare(run, candidate, job.route.names[-1], source, job.options)
    return fixed if isinstance(fixed, Compared) and fixed.verification.native.equal else result


def open_and_compare(run: Run, candidate: Candidate, maker: str, source: Source, options: ConvertOptions) -> Result:
    """Open a new target and compare it with its source. Never raises for what is wrong with the target.

    Args:
        run: the surroundings.
        candidate: the target.
        maker: who wrote it, in words.
        source: what it is compared with.
        options: of the conversion.
    """
    try:
        candidate = sealed(run, candidate, source.exported.path)
        target = _open(run, candidate, maker, source, options)
    except (AdapterFailure, UnusableInput) as error:
        reason = f"{maker} wrote a target that does not load: {cause_of(error)}"
        return Crashed(reason, candidate if candidate.path.exists() else None)
    signature = target.session.signature
    try:
        contract = declared_contract(source.session.signature, signature, candidate.reply, options)
        require_sizes(source, contract)
    except LayoutMismatch as mismatch:
        return Incomparable(first_line(mismatch.message), candidate, signature)
    except SafeconvertError as error:
        return _refused(error, candidate)
    return compare_pair(run, Pair(source, target, contract), options.verify)


def compare_pair(run: Run, pair: Pair, settings: VerifySettings) -> Result:
    """Compare an opened target with its source. Never raises for what is wrong with the target."""
    candidate = pair.target.candidate
    try:
        return Compared(candidate, verify_target(run, pair, settings))
    except AdapterFailure as failure:
        return Unrunnable(f"the target does not run: {failure.cause}", candidate)
    except SafeconvertError as error:
        return _refused(error, candidate)


def declared_contract(source: Signature, target: Signature, reply: ConvertReply, options: ConvertOptions) -> Contract:
    """The contract that the converters declare; what they leave open is unchanged.

    Raises:
        LayoutMismatch, LayoutAmbiguous, UnusableInput: as `make_contract`.
    """

    def declared(names: Sequence[str], moved: tuple[Permutation | None, ...]) -> dict[str, Permutation | None]:
        padded = moved + (None,) * (len(names) - len(moved))
        return dict(zip(names, padded, strict=False))

    return make_contract(
        source,
        target,
        declared([spec.name for spec in source.inputs], reply.inputs),
        declared([spec.name for spec in source.outputs], reply.outputs),
        options.layouts,
    )


def _open(run: Run, candidate: Candidate, maker: str, source: Source, options: ConvertOptions) -> TargetModel:
    made = detect(candidate.path)
    if made.format != options.target_format:
        raise UnusableInput(f"{candidate.path.name}: {maker} wrote a {made.format} file")
    request = request_like(candidate.path, source.session.signature, options.model.trust_pickle)
    with run.phases.phase("loading the target"):
        return TargetModel(open_model(run, "target", options.target_format, request), request, candidate)


def _refused(error: SafeconvertError, candidate: Candidate) -> Incomparable | Unrunnable:
    """What cannot be compared: because the target is another function, or because no verdict is possible."""
    if error.exit_code is ExitCode.NOT_EQUIVALENT:
        return Incomparable(error.message, candidate, None)
    return Unrunnable(error.message, candidate)
