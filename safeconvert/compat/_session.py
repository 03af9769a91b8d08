"""What all drop-ins share: one conversion through the pipeline, and how a caller says what it is checked on."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safeconvert.adapter_api.protocol import WHOLE, ModelPart
from safeconvert.errors import NotEquivalent, UnusableInput

if TYPE_CHECKING:
    from safeconvert.core.progress import Phases
    from safeconvert.report.outcome import Outcome


@dataclass
class Checked:
    """Results of the conversions within one `checking`, in order, and the key that their certificates are signed with."""

    outcomes: list[Outcome] = field(default_factory=list)
    key: Path | None = None

    @property
    def last(self) -> Outcome:
        """The latest. Raises IndexError where there was none."""
        return self.outcomes[-1]


@dataclass(frozen=True)
class _Requested:
    given: Mapping[str, Any]
    config: str | PathLike[str] | None
    record: Checked


_REQUESTED: ContextVar[_Requested | None] = ContextVar("safeconvert.compat.checking", default=None)


@contextmanager
def checking(*, config: str | PathLike[str] | None = None, **given: Any) -> Iterator[Checked]:
    """Say how the drop-ins within check what they convert; yields their results.

    Args:
        config: settings file; None takes the nearest safeconvert.toml.
        given: inputs, preprocessing, samples, seed, input_shape, input_range, comparator, rtol, atol, tolerance, top_k,
            max_discrepancy, target_layout, key, timeout, memory: as for `safeconvert.convert`.

    Raises:
        TypeError: an argument of another name.
    """
    from safeconvert.config.flags import drop_in_keywords

    unknown = sorted(set(given) - set(drop_in_keywords()))
    if unknown:
        raise TypeError(f"checking() got an unexpected keyword argument '{unknown[0]}'")
    requested_by = _Requested(given, config, Checked())
    token = _REQUESTED.set(requested_by)
    try:
        yield requested_by.record
    finally:
        _REQUESTED.reset(token)


@dataclass(frozen=True)
class Job:
    """One conversion that a drop-in asks for.

    Attributes:
        source: the model file.
        target_format: as on the command line.
        route: converters' names, comma separated.
        name: file name of the target.
        arguments: for the last converter.
        output: where the caller wants the verified file too; None only hands it to the caller's own loading.
        part: of a TensorFlow source.
        shapes: of the source's inputs, where the caller knows them.
        inputs: what to check on where nobody said anything else.
        opset: ONNX opset; 0 leaves it to the converter.
        optimize: TFLite optimisation.
        trusted: the files were written by this process, and may hold pickled modules.
    """

    source: Path
    target_format: str
    route: str
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    output: Path | None = None
    part: ModelPart = WHOLE
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    inputs: Path | None = None
    opset: int = 0
    optimize: str = "none"
    trusted: bool = False


@contextmanager
def converted(job: Job) -> Iterator[Path]:
    """Convert, verify, repair; yields the verified file, which lies there until the block ends.

    Raises:
        NotEquivalent: no target is the same function; carries the certificate's content.
        NoRoute, NoVerdict, UnusableInput: as `safeconvert.convert`.
    """
    with tempfile.TemporaryDirectory(prefix="safeconvert-drop-in-") as folder:
        yield run(job, job.output or Path(folder) / job.name).target


def run(job: Job, output: Path) -> Outcome:
    """Convert to a place; the outcome of a conversion that verified. Raises as `converted`."""
    from safeconvert import api
    from safeconvert.core.progress import Phases

    outcome = run_unraised(job, output, Phases())
    if job.output is not None:
        return api.verified(outcome)
    return api.verified(replace(outcome, rejected=None), job.name)


def run_unraised(job: Job, output: Path, phases: Phases) -> Outcome:
    """Convert to a path; the result, whatever it is. Raises SafeconvertError for what ends without a conversion to speak of."""
    from safeconvert.app import runs
    from safeconvert.config.options import ConvertOptions, ModelOptions
    from safeconvert.config.origin import origin_of
    from safeconvert.config.request import requested

    within = _REQUESTED.get()
    given, config = (within.given, within.config) if within is not None else ({}, None)
    request = requested("convert", given, Path(config) if config is not None else None)
    settings = request.settings
    if request.values.get("inputs") is None and job.inputs is not None:
        request = replace(request, values={**request.values, "inputs": job.inputs})
        # a target that was calibrated on these inputs is only meant for inputs like them
        settings = replace(settings, inputs=replace(settings.inputs, joined=0))
    with request.data() as data:
        options = ConvertOptions(
            source=job.source,
            target_format=job.target_format,
            output=output,
            model=ModelOptions(request.shapes() or dict(job.shapes), "", job.trusted, job.part),
            data=data,
            verify=request.comparison(),
            layouts=request.layouts(),
            route=job.route,
            opset=job.opset,
            optimize=job.optimize,
            key=request.path("key"),
            keep_precision=True,  # what the caller's own options ask for is kept, or is not equivalent
            repair=request.flag("repair", True),
            arguments=job.arguments,
            origin=origin_of(request.project),
        )
        outcome = runs.run_convert(options, settings, phases)
    if within is not None:
        within.record.outcomes.append(outcome)
        within.record.key = options.key
    return outcome


def refuse(function: str, why: str, **arguments: object) -> None:
    """Raise UnusableInput for the first of the arguments that asks for anything."""
    for name, value in arguments.items():
        if value is None or value is False or (isinstance(value, list | tuple | dict | set | str) and not value):
            continue
        raise UnusableInput(
            f"{function}: {name} cannot be honoured: {why}",
            "leave it out, or call the converter itself and safeconvert.verify",
        )


def require_same(function: str, what: str, problem: str) -> None:
    """Raise NotEquivalent where what was saved of an object in memory is not that object; "" is no problem."""
    if problem:
        raise NotEquivalent(f"{function}: {what} is not the same function as the model in memory: {problem}")
