"""Build the source's preprocessing into a target, so that it takes images as its deployment gives them.

Both preprocessings are one multiplication and one addition a channel, so that going from one to the other is too:
x_source = factor * x_deployed + offset, with the channels reversed where the orders differ. What resizes otherwise stays an
obligation of whoever uses the target.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.route import Candidate
from safeconvert.errors import UnusableInput
from safeconvert.inputs.images import ImageInputs
from safeconvert.inputs.preprocessing import RAW, Preprocessing
from safeconvert.registry.manifest import Adapter
from safeconvert.repair.preprocessing import deployed_recipe, described, require_images, with_preprocessing
from safeconvert.repair.proposals import NotMade, Regraph, TargetProposal, converted_again
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.dataset import read_preprocessing
from safeconvert.verification.source import Source
from safeconvert.verification.types import Verification
from safeconvert.workers.engine import call_engine
from safeconvert.workers.run import Run

OPTION = "--bake-preprocessing"


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


@dataclass(frozen=True)
class Verified:
    """A target that is right but for its preprocessing.

    Attributes:
        candidate: the file.
        verification: what showed that it is right.
        converter: that made it; None where it is an existing conversion.
        diagnosis: of the repair that made it; None where there was none.
    """

    candidate: Candidate
    verification: Verification
    converter: Adapter | None
    diagnosis: Diagnosis | None


def embed_preprocessing(run: Run, right: Verified, source: Source, options: ConvertOptions) -> Iterator[TargetProposal]:
    """Propose targets with the source's preprocessing built in, which take what the deployment gives.

    Raises:
        UnusableInput: the inputs are no folder of images, or the target has no ONNX form.
    """
    require_images(options.data, OPTION)
    inputs = source.data.inputs
    if not isinstance(inputs, ImageInputs):
        raise UnusableInput(f"{OPTION}: applies to a folder of images", "give one with --inputs")
    ours = read_preprocessing(options.data) or RAW
    # numbers as the deployment gives them; sizes as the source takes them, since no input can undo a resize
    theirs = replace(deployed_recipe(options.data), resize=ours.resize, interpolation=ours.interpolation)
    graph = _scaled(run, right.verification, across(ours, theirs, inputs.form.channels), inputs.form.channels_last)
    fed = with_preprocessing(run, source, options.data, theirs)
    obligation = f"the target takes {described(theirs)}"

    def proposal(how: str, made: Candidate | NotMade) -> TargetProposal:
        return TargetProposal(how, made, fed, right.diagnosis, obligation)

    if options.target_format == "onnx":
        path = graph.rename(graph.with_name(right.candidate.path.name))
        yield proposal("preprocessing built into the ONNX file", replace(right.candidate, path=path))
        return
    new = Regraph(graph, right.verification.target, right.candidate, right.converter)
    for route, made in converted_again(run, new, options):
        yield proposal(f"preprocessing built in, converted again by {route}", made)


def _scaled(run: Run, verification: Verification, affine: Affine, channels_last: bool) -> Path:
    """The target's ONNX form with the multiplication and addition in front."""
    graph = verification.exported.path
    if graph is None:
        raise UnusableInput(
            f"{OPTION}: the target has no ONNX form to build it into",
            "leave it out: what to feed the target is among the obligations",
        )
    order = verification.contract.inputs[0].permutation or tuple(range(4))
    path = run.folder("embedded") / "embedded.onnx"
    arguments = {
        "path": str(graph),
        "target": str(path),
        "axis": order.index(3 if channels_last else 1),
        "factor": list(affine.factor),
        "offset": list(affine.offset),
        "reverse": affine.reverse,
    }
    call_engine(run, "scale_input", "building the preprocessing in", arguments)
    return path
