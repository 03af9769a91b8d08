"""PP faults: what the target gives under the preprocessing that its deployment applies, and under every known preset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.settings import VerifySettings
from safeconvert.config.options import DataOptions
from safeconvert.conversion.models import evaluate
from safeconvert.core.faults import Change, FaultKind, FaultRecord
from safeconvert.core.files import is_folder
from safeconvert.core.resources import data_folder
from safeconvert.errors import UnusableInput
from safeconvert.inputs.open import open_inputs
from safeconvert.inputs.preprocessing import RAW, Preprocessing, load_presets
from safeconvert.inputs.shards import shard_files
from safeconvert.inputs.store import materialise
from safeconvert.repair.proposals import TargetProposal
from safeconvert.repair.types import PreprocessingFault
from safeconvert.verification.dataset import read_preprocessing
from safeconvert.verification.native import compare, feed_across
from safeconvert.verification.pair import Pair
from safeconvert.verification.source import Source, given_only
from safeconvert.verification.subset import refed, subset
from safeconvert.verification.tables import Tables
from safeconvert.workers.run import Run

_RECIPE = ("scale", "mean", "std", "channel_order", "resize", "interpolation")
_PROBES = 4
"""Images that every preset is tried on; the one that agrees is then verified like any target."""


def check_preprocessing(
    run: Run, pair: Pair, data: DataOptions, settings: VerifySettings, same: Comparison
) -> PreprocessingFault | None:
    """Run the target under its deployment's preprocessing; None where it gives the same, or none was named.

    The method is FetaFix' (section 4.1): the target is run under its own preprocessing and under the source's, and where
    only the source's agrees, the preprocessing is the fault.

    Args:
        run: the surroundings.
        pair: the source, evaluated under its own preprocessing, and the target.
        data: with `target_preprocessing`.
        settings: what counts as equal.
        same: figures of the target under the source's preprocessing.

    Raises:
        UnusableInput: a preprocessing was named although the inputs are no images, or it is unknown.
        AdapterFailure: the target does not run.
    """
    if not data.target_preprocessing:
        return None
    require_images(data, f"--target-preprocessing {data.target_preprocessing}")
    ours = read_preprocessing(data) or RAW
    theirs = deployed_recipe(data)
    source = pair.source
    as_deployed = with_preprocessing(run, source, data, theirs)
    feeds = feed_across(pair.contract, as_deployed.data.chunks, run.folder("feed"))
    outputs = evaluate(run, pair.target.session, feeds, "running the target as deployed")
    deployed = compare(pair.contract, as_deployed.outputs, outputs, source.data.given, settings).result(source.held_out)
    if deployed.equal:
        return None
    evidence = (
        f"{differing(ours, theirs)}; differs on {max(deployed.disagreements, deployed.beyond_tolerance)} of "
        f"{deployed.samples} inputs as deployed, on {max(same.disagreements, same.beyond_tolerance)} with the source's"
    )
    fault = _fault(ours, theirs, evidence, deployed.relative, same.equal)
    return PreprocessingFault(fault, f"preprocess for the target as for the source: {described(ours)}", outputs)


def agreeing_presets(run: Run, pair: Pair, data: DataOptions, settings: VerifySettings) -> Iterator[TargetProposal]:
    """The target fed under each known preset, other than the source's, with which it agrees on a few images.

    A target that was trained, or exported, with another preprocessing built in looks wrong under the source's.

    Raises:
        UnusableInput: an image cannot be read.
        AdapterFailure: the target does not run.
    """
    if data.path is None or pair.source.data.inputs.kinds != ("image",):
        return
    source, contract = pair.source, pair.contract
    ours = read_preprocessing(data) or RAW
    tried = {_values(ours)}
    given = given_only(source)
    steering = [int(number) for number in (given.steering if len(given.steering) else given.held_out)]
    probes = subset(run, source, steering[:_PROBES], first=_PROBES)
    for recipe in load_presets(data_folder("configs") / "preprocessing.toml").values():
        if _values(recipe) in tried:
            continue
        tried.add(_values(recipe))
        sized = replace(recipe, crop=ours.crop)
        inputs = open_inputs(
            _read_from(source, data.path), source.session.signature, sized, data.limit, tables=partial(Tables, run)
        )
        fed = refed(run, probes, inputs, steering)
        feeds = feed_across(contract, fed.chunks, run.folder("feed"))
        outputs = evaluate(run, pair.target.session, feeds, "trying preprocessings")
        if compare(contract, fed.expected, outputs, fed.chunks, settings).result().equal:
            evidence = f"{differing(ours, recipe)}; agrees with the source under {recipe.name}, not under {ours.name}"
            fault = _fault(ours, recipe, evidence, 0.0, proven=True)
            found = PreprocessingFault(fault, f"preprocess for the target so: {described(recipe)}")
            as_fed = with_preprocessing(run, source, data, recipe)
            yield TargetProposal(
                f"fed as {recipe.name}",
                replace(pair, source=as_fed),
                as_fed,
                obligation=found.obligation,
                preprocessing=found,
            )


def with_preprocessing(run: Run, source: Source, data: DataOptions, recipe: Preprocessing) -> Source:
    """The source with its own outputs, but with the inputs, of the same sizes, that a target is fed under another preprocessing.

    Raises:
        UnusableInput: the inputs are no folder of images, or one cannot be read.
    """
    folder = require_images(data, f"preprocessing {recipe.name}")
    sized = replace(recipe, crop=(read_preprocessing(data) or RAW).crop)
    inputs = open_inputs(_read_from(source, folder), source.session.signature, sized, data.limit)
    with run.phases.phase("reading inputs as deployed", inputs.count) as advance:
        chunks = materialise(inputs, run.folder("deployed"), run.settings.inputs.chunk, advance)
    given = given_only(source)
    return replace(given, data=replace(given.data, chunks=chunks), fed_otherwise=True)


def _read_from(source: Source, given: Path) -> Path:
    """The copy of the user's images that the source was run on."""
    files = source.data.files
    return files.copy if files is not None else given


def deployed_recipe(data: DataOptions) -> Preprocessing:
    """What the deployment applies; raw pixels where nothing is named."""
    return read_preprocessing(replace(data, preprocessing=data.target_preprocessing)) or RAW


def require_images(data: DataOptions, option: str) -> Path:
    """The folder of images; raises UnusableInput where the inputs are none."""
    if data.path is None or not is_folder(data.path) or shard_files(data.path):
        raise UnusableInput(
            f"{option}: applies to a folder of images",
            "give one with --inputs, and the source's preset with --preprocessing",
        )
    return data.path


def described(recipe: Preprocessing) -> str:
    """A recipe in words: its name and numbers."""
    numbers = ", ".join(f"{key} {value}" for key, value in asdict(recipe).items() if key in _RECIPE)
    return f"{recipe.name} ({numbers})"


def differing(ours: Preprocessing, theirs: Preprocessing) -> str:
    """What two recipes do otherwise, in words."""
    one, two = asdict(ours), asdict(theirs)
    return "; ".join(
        f"{key}: {one[key]} in the source, {two[key]} as deployed" for key in _RECIPE if one[key] != two[key]
    )


def _values(recipe: Preprocessing) -> tuple[object, ...]:
    return tuple(getattr(recipe, key) for key in _RECIPE)


def _fault(ours: Preprocessing, theirs: Preprocessing, evidence: str, distance: float, proven: bool) -> FaultRecord:
    return FaultRecord(
        FaultKind.PREPROCESSING,
        ours.name,
        theirs.name,
        "preprocessing",
        Change.DIFFERENT,
        evidence,
        isolated=distance,
        propagated=distance,
        proven=proven,
    )
