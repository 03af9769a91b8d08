"""A part of the source in the source's place: cut out at named nodes, natively, by the adapter of its own framework.

From there on the part is the source: it is run, converted and compared. What lies outside it is the host's, which the certificate says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from safeconvert.config.options import ModelOptions
from safeconvert.conversion.models import model_request
from safeconvert.core.cut import Cut, Remainder
from safeconvert.core.formats import ModelFile, Part, detect
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.registry.manifest import framework
from safeconvert.verification.snapshot import copied
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run

_SUFFIXES = {"onnx": ".onnx", "keras": ".keras", "tflite": ".tflite", "tf": ".pb", "torch": ".pt2"}
"""What a part is written as, by the source's format."""


def take_part(run: Run, file: ModelFile, model: ModelOptions) -> ModelFile:
    """The part of a model that is asked for, as a file of the same format; the model itself where it is asked for whole.

    Args:
        run: the surroundings.
        file: the model, copied.
        model: how it is opened, and where it is cut.

    Raises:
        UnusableInput: no such node, no output that depends on it, or a model that holds code and no graph.
    """
    cut = model.cut
    if not cut:
        return file
    made = run.folder("part") / f"{file.path.stem or file.path.name}_part{_SUFFIXES[file.format]}"
    adapter = framework(file.format, run.adapters)
    arguments = {
        "request": model_request(file.path, model).to_json(),
        "begin": list(cut.begin),
        "end": list(cut.end),
        "target": made,
    }
    try:
        with run.phases.phase(f"cutting out {cut.described}"):
            worker = run.pool.worker("source", adapter.python)
            found = worker.call(adapter.name, "cutting", CallFunction(adapter.folder, "cut", arguments))
    except AdapterFailure as failure:
        raise UnusableInput(
            f"{file.named}: {cut.flags}: {failure.adapter} cannot cut it: {failure.cause}",
            "cut at another node",
            failure.log,
        ) from failure
    path, sha256 = copied(run, made)
    run.pool.names(path, file.named)
    return replace(detect(path), given=file.given, sha256=sha256, part=Part(file, cut, Remainder.from_json(found)))


def recorded_cut(source: Mapping[str, Any]) -> Cut:
    """The cut that a certificate's entry on its source tells of, from anybody."""
    told = source.get("cut")
    if not isinstance(told, Mapping):
        return Cut()
    ends = [told.get(name) for name in ("from", "to_node")]
    return Cut(*(tuple(map(str, end)) if isinstance(end, list) else () for end in ends))
