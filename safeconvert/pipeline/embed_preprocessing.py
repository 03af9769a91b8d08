"""Build the source's preprocessing into a target, so that it takes pictures as its deployment gives them.

Both preprocessings are one multiplication and one addition a channel, so that going from one to the other is too:
x_source = factor * x_deployed + offset, with the channels reversed where the orders differ. What resizes otherwise stays an
obligation of whoever uses the target.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.route import Candidate, walk
from safeconvert.core.text import first_line
from safeconvert.errors import AdapterFailure, NotEquivalent, UnusableInput
from safeconvert.inputs.images import ImageInputs
from safeconvert.inputs.preprocessing import RAW, Preprocessing
from safeconvert.pipeline.attempt import try_route
from safeconvert.pipeline.results import Attempt
from safeconvert.registry.routes import routes
from safeconvert.repair.preprocessing import deployed_recipe, described, fed_as, require_pictures
from safeconvert.verification.dataset import read_preprocessing
from safeconvert.verification.source import Source
from safeconvert.workers.engine import ask_engine
from safeconvert.workers.run import Context


@dataclass(frozen=True)
class Affine:
    """x_source[c] = factor[c] * x_deployed[c] + offset[c], after the channels are reversed where `reverse` says so."""

    factor: tuple[float, ...]
    offset: tuple[float, ...]
    reverse: bool


def across(ours: Preprocessing, theirs: Preprocessing, channels: int) -> Affine:
    """From what the deployment gives to what the source takes; sizes are no part of it."""
    reverse = channels == 3 and ours.channel_order != theirs.channel_order
    mean, std = (np.array(values[:channels]) for values in (theirs.mean, theirs.std))
    if reverse:
        mean, std = mean[::-1], std[::-1]
    # pixel = (x_deployed * std + mean) / scale
    ours_mean, ours_std = (np.array(values[:channels]) for values in (ours.mean, ours.std))
    factor = std / theirs.scale * ours.scale / ours_std
    offset = (mean / theirs.scale * ours.scale - ours_mean) / ours_std
    return Affine(tuple(map(float, factor)), tuple(map(float, offset)), reverse)


def baked(
    context: Context, threads: ThreadPoolExecutor, attempts: Sequence[Attempt], source: Source, options: ConvertOptions
) -> list[Attempt]:
    """The attempts, the last of them verified, and after it the same target with the preprocessing built in.

    Raises:
        UnusableInput: the inputs are no pictures, or the target has no ONNX form.
        NotEquivalent: no target with the preprocessing built in verified.
    """
    require_pictures(options.data, "--bake-preprocessing")
    ours = read_preprocessing(options.data) or RAW
    # numbers as the deployment gives them; sizes as the source takes them, since no input can undo a resize
    theirs = replace(deployed_recipe(options.data), resize=ours.resize, interpolation=ours.interpolation)
    inputs = source.data.inputs
    assert isinstance(inputs, ImageInputs)
    affine = across(ours, theirs, inputs.channels)
    right = attempts[-1]
    tried = list(attempts)
    fed = fed_as(context, source, options.data, theirs)
    for candidate, how in _built_in(context, right, affine, inputs.channels_last, options):
        if isinstance(candidate, str):
            tried.append(Attempt(right.route, "crashed", candidate, lift=how))
            continue
        done: Future[Candidate] = Future()
        done.set_result(candidate)
        context.pool.worker("target").close()
        attempt = try_route(context, threads, right.route, fed, candidate.path.name, options, done)
        tried.append(replace(attempt, lift=how, diagnosis=right.diagnosis, fed=f"the target takes {described(theirs)}"))
        if attempt.outcome == "verified":
            return tried
    reasons = "; ".join(f"{attempt.lift}: {first_line(attempt.reason)}" for attempt in tried[len(attempts) :])
    raise NotEquivalent(
        f"--bake-preprocessing: no target with the preprocessing built in verified: {reasons}",
        "leave it out: what to feed the target is then among the obligations",
    )


def _built_in(
    context: Context, right: Attempt, affine: Affine, channels_last: bool, options: ConvertOptions
) -> Iterator[tuple[Candidate | str, str]]:
    """Targets with the preprocessing in front, or why there is none, and how."""
    assert right.verification is not None and right.candidate is not None
    tensor = right.verification.agreed.inputs[0]
    order = tensor.permutation or tuple(range(4))
    axis = order.index(3 if channels_last else 1)
    graph = right.verification.exported.path
    if graph is None:
        raise UnusableInput(
            "--bake-preprocessing: the target has no ONNX form to build it into",
            "leave it out: what to feed the target is among the obligations",
        )
    path = context.folder("baked") / "baked.onnx"
    arguments = {
        "path": str(graph),
        "target": str(path),
        "axis": axis,
        "factor": list(affine.factor),
        "offset": list(affine.offset),
        "reverse": affine.reverse,
    }
    ask_engine(context, "scale_input", "building the preprocessing in", arguments)
    made = right.candidate
    if options.target_format == "onnx":
        yield replace(made, path=path.rename(path.with_name(made.path.name))), "preprocessing built into the ONNX file"
        return
    for way in routes("onnx", options.target_format, context.adapters):
        how = f"preprocessing built in, converted again by {way}"
        signature = right.verification.target
        try:
            candidate = walk(
                context, way, ModelRequest(str(path)), signature, None, made.path.name, 0, options.optimize
            )
        except (AdapterFailure, UnusableInput) as error:
            yield str(error), how
            continue
        yield replace(candidate, reply=made.reply.then(candidate.reply)), how
