"""Walk one route: converter after converter, from the source to a candidate target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeconvert.adapting import UNCHANGED, ConvertReply, ConvertRequest, ModelRequest
from safeconvert.context import Context
from safeconvert.models import Export
from safeconvert.registry import Route
from safeconvert.runtime.session import run_converter
from safeconvert.signature import Signature

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

    Raises:
        AdapterFailure, UnusableInput: a converter failed; its name is on the error.
    """
    model, reply = source, UNCHANGED
    last = len(route.adapters) - 1
    for position, adapter in enumerate(route.adapters):
        step_format = route.formats[position + 1]
        reusable = exported is not None and exported.path is not None and exported.adapter == adapter.name
        if position == 0 and position < last and reusable and exported is not None:
            model = ModelRequest(str(exported.path))
            continue
        name = target_name if position == last else f"step{position + 1}{_INTERMEDIATE[step_format]}"
        target = context.folder("step") / name
        own = dict(arguments or {}) if position == last else {}
        select = context.settings.tflite.select_tf_ops
        request = ConvertRequest(model, str(target), signature if position == 0 else None, opset, optimize, own, select)
        with context.phases.phase(f"converting {route.formats[position]} to {step_format} ({adapter.name})"):
            reply = reply.then(run_converter(context.pool.worker("convert", adapter.python), adapter, request))
        model = ModelRequest(str(target))
    return Candidate(Path(model.path), reply)
