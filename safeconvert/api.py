"""The plain API: `safeconvert.convert` and `safeconvert.verify`.

Both do what the commands of these names do, and raise where those exit with another code than 0. Settings come from the
arguments, else from the project's settings file as on the command line, else from the defaults.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar, Unpack

from safeconvert.app import runs
from safeconvert.app.profile import profiled
from safeconvert.app.report_file import BESIDE, reporting
from safeconvert.app.side_files import side_files
from safeconvert.config.flags import keywords
from safeconvert.config.keywords import ConvertKeywords, Place, VerifyKeywords
from safeconvert.config.request import Request, conversion, requested, verification
from safeconvert.core.progress import Phases
from safeconvert.errors import ExitCode, NoRoute, NotEquivalent, NoVerdict, SafeconvertError
from safeconvert.report.outcome import Outcome

_Function = TypeVar("_Function", bound=Callable[..., Any])


def _with_keywords(command: str) -> Callable[[_Function], _Function]:
    """Show a command's flags in the signature and the help of its function, which takes them as **given."""

    def decorate(function: _Function) -> _Function:
        signature = inspect.signature(function)
        own = [parameter for parameter in signature.parameters.values() if parameter.kind is not parameter.VAR_KEYWORD]
        named = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=f"{flag.takes} | None")
            for name, flag in keywords(command).items()
        ]
        function.__dict__["__signature__"] = signature.replace(parameters=[*own, *named])
        listed = "\n".join(f"        {name}: {flag.text}" for name, flag in keywords(command).items())
        function.__doc__ = (function.__doc__ or "").replace("        given: the flags.", listed)
        return function

    return decorate


@_with_keywords("convert")
def convert(source: Place, to: str, **given: Unpack[ConvertKeywords]) -> Outcome:
    """Convert a model file, verify the target in its own framework, repair it where that is needed, and certify it.

    Args:
        source: model file or SavedModel folder; its format is detected from its content.
        to: `torch`, `keras`, `tf`, `tflite` or `onnx`.
        given: the flags.

    Returns:
        The result: `target` and `certificate` are paths, `predicate` is the certificate's content.

    Raises:
        NotEquivalent: no target is the same function; its `certificate` says where they differ. `output` is as it was.
        NoRoute: no converter could make the target.
        NoVerdict: the question could not be answered.
        UnusableInput: a file, option or input that cannot be used.
        TypeError: an argument of another name.
    """
    request = _requested("convert", given)
    path, explorer = Path(source), request.path("model_explorer")
    with reporting(_page(request), path, makes=True) as reports, request.data() as data:
        options = conversion(request, path, to, data)
        with side_files(path.name, request.path("junit"), explorer, makes=True) as files:
            with profiled(request.path("profile"), Phases()) as phases:
                outcome = runs.run_convert(options, request.settings, phases)
            files.outcome(outcome, path)
        outcome = reports.written(outcome)
    return verified(outcome)


@_with_keywords("verify")
def verify(source: Place, target: Place, **given: Unpack[VerifyKeywords]) -> Outcome:
    """Compare an existing conversion with its source.

    Args:
        source: the source model.
        target: the model converted from it.
        given: the flags.

    Returns:
        The result, for a target that is equivalent.

    Raises:
        NotEquivalent: it is not the same function; its `certificate` holds the figures.
        NoVerdict: the question could not be answered.
        UnusableInput: a file, option or input that cannot be used.
        TypeError: an argument of another name.
    """
    request = _requested("verify", given)
    path = Path(source)
    with reporting(_page(request), path, makes=False) as reports, request.data() as data:
        options = verification(request, path, Path(target), data)
        with side_files(options.target.name, request.path("junit")) as files:
            with profiled(request.path("profile"), Phases()) as phases:
                outcome = runs.run_verify(options, request.settings, phases)
            files.outcome(outcome, path)
        outcome = reports.written(outcome)
    return verified(outcome)


def verified(outcome: Outcome, what: str = "") -> Outcome:
    """An outcome that is verified; raises for any other, with the certificate's content on NotEquivalent.

    Args:
        outcome: of a conversion or verification.
        what: what to call the target in messages; "" is its path.
    """
    if outcome.exit_code is ExitCode.VERIFIED:
        return outcome
    message, log = f"{what or outcome.target}: {outcome.reason}", str(outcome.log or "")
    if outcome.exit_code is ExitCode.NOT_EQUIVALENT:
        raise NotEquivalent(
            message,
            "look at its certificate for the faults, or say with rtol, atol or max_discrepancy what may differ",
            log,
            outcome.predicate,
            outcome.rejected,
        )
    kinds: dict[ExitCode, type[SafeconvertError]] = {ExitCode.NO_ROUTE: NoRoute, ExitCode.NO_VERDICT: NoVerdict}
    raise kinds[outcome.exit_code](message, "", log)


def _requested(command: str, given: Mapping[str, Any]) -> Request:
    """The request of a call. Raises TypeError for a keyword that is none of the command's flags."""
    unknown = sorted(set(given) - set(keywords(command)))
    if unknown:
        raise TypeError(f"{command}() got an unexpected keyword argument '{unknown[0]}'")
    config = given.get("config")
    return requested(command, given, Path(config) if config is not None else None)


def _page(request: Request) -> Path | None:
    """Where the page of a run goes, as `reporting` takes it."""
    value = request.values.get("report")
    if value is None or isinstance(value, bool):
        return BESIDE if value else None
    return Path(value)
