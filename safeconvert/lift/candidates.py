"""Native targets made from a repaired ONNX graph, the nearest to the target that was converted first.

The graph itself where the target is ONNX; else the target with other weights and attributes, where the repair is nothing else; else the
repaired graph converted again. Whether one of them is right is not decided here.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace

from safeconvert.adapter_api.changes import Changes
from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.route import Candidate, walk
from safeconvert.core.signature import Signature
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.registry.manifest import framework
from safeconvert.registry.routes import Route, routes
from safeconvert.repair.types import Diagnosis
from safeconvert.workers.run import Context


@dataclass(frozen=True)
class Lifted:
    """A repair carried into a native target.

    Attributes:
        how: in words, for the certificate.
        candidate: the file, or None where this way failed.
        reason: why it failed; else "".
        route: the converters that made it from the repaired graph; None where none did.
    """

    how: str
    candidate: Candidate | None
    reason: str = ""
    route: Route | None = None


def lifted(
    context: Context,
    diagnosis: Diagnosis,
    made: Candidate,
    options: ConvertOptions,
    route: Route,
    signature: Signature,
) -> Iterator[Lifted]:
    """Try each way in turn. A converter that was given arguments of its own is given them again, and no other is tried.

    Args:
        context: of the run.
        diagnosis: with a repaired graph.
        made: the target as it was converted.
        options: of the conversion.
        route: that made the target.
        signature: of the target.
    """
    assert diagnosis.repaired is not None
    if options.target_format == "onnx":
        path = context.folder("lift") / made.path.name
        shutil.copyfile(diagnosis.repaired, path)
        yield Lifted("repaired in the ONNX file", replace(made, path=path))
        return
    if diagnosis.changes is not None:
        yield _patched(context, diagnosis, made, options)
    for way in routes("onnx", options.target_format, context.adapters):
        if not options.arguments or way.adapters[-1] == route.adapters[-1]:
            yield _converted(context, diagnosis, made, way, signature, options)


def _patched(context: Context, diagnosis: Diagnosis, made: Candidate, options: ConvertOptions) -> Lifted:
    target_format = options.target_format
    assert diagnosis.changes is not None
    wanted = Changes.load(diagnosis.changes)
    what = " and ".join(
        name for name, given in (("weights", wanted.constants), ("attributes", wanted.attributes)) if given
    )
    how = f"{what} patched in the {target_format} file"
    path = context.folder("lift") / made.path.name
    adapter = framework(target_format, context.adapters)
    request = {
        "op": "call",
        "adapter": str(adapter.folder),
        "function": "patch",
        "arguments": {
            "request": ModelRequest(str(made.path), trust_pickle=options.model.trust_pickle).to_json(),
            "changes": str(diagnosis.changes),
            "target": str(path),
        },
    }
    try:
        with context.phases.phase(f"patching the {target_format} file"):
            context.pool.worker("convert", adapter.python).call(adapter.name, f"patching {made.path.name}", request)
    except (AdapterFailure, UnusableInput) as error:
        return Lifted(how, None, str(error))
    return Lifted(how, replace(made, path=path))


def _converted(
    context: Context, diagnosis: Diagnosis, made: Candidate, way: Route, signature: Signature, options: ConvertOptions
) -> Lifted:
    how = f"repaired graph converted again by {way}"
    model = ModelRequest(str(diagnosis.repaired))
    try:
        candidate = walk(context, way, model, signature, None, made.path.name, 0, options.optimize, options.arguments)
    except (AdapterFailure, UnusableInput) as error:
        return Lifted(how, None, str(error), way)
    return Lifted(how, replace(candidate, reply=made.reply.then(candidate.reply)), "", way)
