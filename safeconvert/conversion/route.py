"""Walk one route: converter after converter, from the source to a candidate target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safeconvert.adapter_api.protocol import UNCHANGED, ConvertReply, ConvertRequest, ModelRequest
from safeconvert.conversion.models import Export
from safeconvert.core.signature import Signature
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.registry.routes import Route
from safeconvert.workers.run import Context
from safeconvert.workers.session import run_converter

_INTERMEDIATE = {"torch": ".pt2", "keras": ".keras", "tf": "_saved_model", "tflite": ".tflite", "onnx": ".onnx"}


@dataclass(frozen=True)
class Candidate:
    """A target as the converters made it.

    Attributes:
        path: the file or folder, in a folder of its own together with its side files.
        reply: what the converters say they did to the order of dimensions, composed over the route.
    """

    path: Path
    reply: ConvertReply


@dataclass(frozen=True)
class Steps:
    """What the steps of one source's routes gave so far: routes that begin alike walk their beginning once.

    A step that failed fails again without being tried, with the same error; it may have hung to the limit before.

    Attributes:
        made: by adapters and formats up to a step, the model of that step and what its converters declared.
        failed: the same, of a step that failed.
    """

    made: dict[tuple[str, ...], tuple[ModelRequest, ConvertReply]] = field(default_factory=dict)
    failed: dict[tuple[str, ...], AdapterFailure | UnusableInput] = field(default_factory=dict)


def walk(
    context: Context,
    route: Route,
    source: ModelRequest,
    signature: Signature | None,
    exported: Export | None,
    target_name: str,
    opset: int,
    optimize: str,
    arguments: Mapping[str, Any] | None = None,
    steps: Steps | None = None,
) -> Candidate:
    """Run the converters of a route in the `convert` lane.

    Args:
        context: of the run.
        route: the converters.
        source: the source model.
        signature: of the source, resolved; None for an ONNX source that does not run.
        exported: the source's ONNX form; taken instead of a first step by the same exporter.
        target_name: file name of the target.
        opset: asked of exporters; 0 leaves it to them.
        optimize: TFLite optimisation.
        arguments: for the last converter.
        steps: of the other routes of the same source with the same options.

    Raises:
        AdapterFailure, UnusableInput: a converter failed; its name is on the error.
    """
    model, reply = source, UNCHANGED
    steps = Steps() if steps is None else steps
    last = len(route.adapters) - 1
    for position, adapter in enumerate(route.adapters):
        step_format = route.formats[position + 1]
        reusable = exported is not None and exported.path is not None and exported.adapter == adapter.name
        if position == 0 and position < last and reusable and exported is not None:
            model = ModelRequest(str(exported.path))
            continue
        key = (*route.names[: position + 1], *route.formats[: position + 2])
        if key in steps.failed:
            raise steps.failed[key]
        if position < last and key in steps.made:
            model, reply = steps.made[key]
            continue
        name = target_name if position == last else f"step{position + 1}{_INTERMEDIATE[step_format]}"
        target = context.folder("step") / name
        own = dict(arguments or {}) if position == last else {}
        select = context.settings.tflite.select_tf_ops
        request = ConvertRequest(model, str(target), signature if position == 0 else None, opset, optimize, own, select)
        with context.phases.phase(f"converting {route.formats[position]} to {step_format} ({adapter.name})"):
            try:
                reply = reply.then(run_converter(context.pool.worker("convert", adapter.python), adapter, request))
            except (AdapterFailure, UnusableInput) as failure:
                steps.failed[key] = failure
                raise
        model = ModelRequest(str(target))
        if position < last:
            steps.made[key] = (model, reply)
    return Candidate(Path(model.path), reply)
