"""Convert along one route: converter after converter, from the source to a candidate target."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from safeconvert.adapter_api.protocol import UNCHANGED, ConvertReply, ConvertRequest, ModelRequest
from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.models import Export
from safeconvert.conversion.step import run_step
from safeconvert.core.once import Once
from safeconvert.core.optimize import Optimize
from safeconvert.core.signature import Signature
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.registry.routes import Route
from safeconvert.workers.run import Run

_INTERMEDIATE = {"torch": ".pt2", "keras": ".keras", "tf": "_saved_model", "tflite": ".tflite", "onnx": ".onnx"}


@dataclass(frozen=True)
class Candidate:
    """A target as the converters made it.

    Attributes:
        path: the file or folder, in a folder of its own together with its side files.
        reply: what the converters declare of the order of dimensions, composed over the route.
        sha256: of the file as it was run, where it was (`snapshot.sealed`).
    """

    path: Path
    reply: ConvertReply
    sha256: str = ""


@dataclass(frozen=True)
class StepCache:
    """What the steps of one source's routes gave so far: routes that begin alike run their beginning once.

    A step that failed fails again without being tried, with the same error; it may have hung to the limit before.

    Attributes:
        made: by adapters and formats up to a step, the model of that step and what its converters declared.
        failed: the same, of a step that failed.
        refused: why a converter does not take an ONNX file, by what it declares; "" where it may. By file and converter.
    """

    made: dict[tuple[str, ...], tuple[ModelRequest, ConvertReply]] = field(default_factory=dict)
    failed: dict[tuple[str, ...], AdapterFailure | UnusableInput] = field(default_factory=dict)
    refused: Once[str] = field(default_factory=Once)


@dataclass(frozen=True)
class RouteRun:
    """One model to convert along one route.

    Attributes:
        route: the converters.
        model: where it begins.
        signature: of that model, resolved; None for an ONNX model that does not run.
        exported: its ONNX form, taken instead of a first step by the same exporter; None where there is none.
        target_name: file name of the target.
        options: `opset`, `optimize` and, for the last converter, `arguments`.
        cache: of the other routes of the same model with the same options.
    """

    route: Route
    model: ModelRequest
    signature: Signature | None
    exported: Export | None
    target_name: str
    options: ConvertOptions
    cache: StepCache = field(default_factory=StepCache)

    @property
    def last(self) -> int:
        """Position of the last converter."""
        return len(self.route.adapters) - 1

    def key(self, position: int) -> tuple[str, ...]:
        """What a step and all before it are known by in the cache."""
        return (*self.route.names[: position + 1], *self.route.formats[: position + 2])

    @property
    def first_step_done(self) -> Path | None:
        """What the first converter would give: the ONNX form, where the same exporter made it; None otherwise."""
        if self.exported is None or self.last == 0 or self.exported.adapter != self.route.names[0]:
            return None
        return self.exported.path

    @property
    def may_stay_open(self) -> bool:
        """Whether the source leaves sizes free that every one of several converters can keep so."""
        if self.signature is None or self.last == 0 or self.options.arguments:
            return False
        inputs, adapters = self.signature.inputs, self.route.adapters
        return any(spec.open for spec in inputs) and all(adapter.open_sizes for adapter in adapters)


def convert_along(run: Run, job: RouteRun) -> Candidate:
    """Run the converters of a route, each in a worker that has its framework; with the sizes free that the source leaves free, where all of them can, else fixed.

    Raises:
        AdapterFailure, UnusableInput: a converter failed; its name is on the error.
    """
    if job.may_stay_open:
        try:
            return _along(run, job, True)
        except (AdapterFailure, UnusableInput):  # the graph needs its sizes, as fixed ones below
            pass
    return _along(run, job, False)


def convert_fixed(run: Run, job: RouteRun) -> Candidate:
    """As `convert_along`, with the sizes of the inputs wherever a converter can fix them. Raises AdapterFailure, UnusableInput."""
    return _along(run, job, False, last_open=False)


def _along(run: Run, job: RouteRun, keep_open: bool, last_open: bool = True) -> Candidate:
    model, reply = job.model, UNCHANGED
    for position in range(job.last + 1):
        key = (*job.key(position), *(["open"] if keep_open else []), *([] if last_open else ["fixed"]))
        if position == 0 and job.first_step_done is not None and not keep_open:
            model = ModelRequest(str(job.first_step_done))
        elif key in job.cache.failed:
            raise job.cache.failed[key]
        elif position < job.last and key in job.cache.made:
            model, reply = job.cache.made[key]
        else:
            try:
                model, declared = _step(run, job, position, model, keep_open or (last_open and position == job.last))
            except (AdapterFailure, UnusableInput) as failure:
                job.cache.failed[key] = failure
                raise
            reply = reply.then(declared)
            if position < job.last:
                job.cache.made[key] = (model, reply)
    return Candidate(Path(model.path), reply)


def _layouts(job: RouteRun) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The order of dimensions that the user wants of each input and output of the target.

    What is said for all tensors holds for those of three axes or more: "keep" for inputs and outputs, another order for inputs alone, since an output may be
    no image.
    """
    asked = job.options.layouts
    if job.signature is None or not asked:
        return (), ()
    general = asked.get("", "")
    kept = general if general == "keep" else ""
    return tuple(
        tuple(str(asked.get(spec.name, whole if len(spec.shape) >= 3 else "")) for spec in specs)
        for specs, whole in ((job.signature.inputs, general), (job.signature.outputs, kept))
    )  # type: ignore[return-value]


def _step(
    run: Run, job: RouteRun, position: int, model: ModelRequest, keep_open: bool
) -> tuple[ModelRequest, ConvertReply]:
    """One converter: what it made, and what it declares."""
    adapter, step_format = job.route.adapters[position], job.route.formats[position + 1]
    last = position == job.last
    name = job.target_name if last else f"step{position + 1}{_INTERMEDIATE[step_format]}"
    target = run.folder("step") / name
    request = ConvertRequest(
        model,
        str(target),
        job.signature if position == 0 else None,
        job.options.opset,
        _stored(job.options.optimize),
        dict(job.options.arguments) if last else {},
        run.settings.tflite.select_tf_ops,
        keep_open=keep_open,
        layouts=_layouts(job),
    )
    with run.phases.phase(f"converting {job.route.formats[position]} to {step_format} ({adapter.name})"):
        declared = run_step(run, role_of(job.route, position), adapter, request)
    return ModelRequest(str(target)), declared


def role_of(route: Route, position: int) -> str:
    """The worker of one converter: `convert`, or one of its own where the last one needs another framework, which is there before the first begins."""
    (first, last) = (route.adapters[at].modules[:1] for at in (position, -1))
    return "convert" if first in ((), last) else f"convert by {first[0]}"


def _stored(optimize: str) -> str:
    """As converters call it: weights in eight bits are what they do by default."""
    return str(Optimize.DEFAULT) if optimize == Optimize.INT8_WEIGHTS else optimize
