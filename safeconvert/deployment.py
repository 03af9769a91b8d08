"""PP faults: what the target gives under the preprocessing that its deployment applies."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from safeconvert.context import Context
from safeconvert.dataset import read_preprocessing
from safeconvert.errors import UnusableInput
from safeconvert.inputs.open import open_inputs
from safeconvert.inputs.store import materialise
from safeconvert.models import evaluate
from safeconvert.options import DataOptions
from safeconvert.preprocessing import RAW, Preprocessing
from safeconvert.runtime.session import Session
from safeconvert.source import Source
from safeconvert.verification import compare, feed_across
from safeconvert.verify.comparison import Comparison
from safeconvert.verify.contract import Contract
from safeconvert.verify.settings import VerifySettings

_RECIPE = ("scale", "mean", "std", "channel_order", "resize", "interpolation")


@dataclass(frozen=True)
class PreprocessingFault:
    """The deployment feeds the target otherwise than the source was fed.

    Attributes:
        fault: as the certificate lists it.
        obligation: what puts it right, in words.
    """

    fault: dict[str, Any]
    obligation: str


def check_preprocessing(
    context: Context,
    source: Source,
    session: Session,
    agreed: Contract,
    data: DataOptions,
    verify: VerifySettings,
    same: Comparison,
) -> PreprocessingFault | None:
    """Run the target under its deployment's preprocessing; None where it gives the same, or none was named.

    The method is FetaFix' (section 4.1): the target is run under its own preprocessing and under the source's, and where
    only the source's agrees, the preprocessing is the fault.

    Args:
        context: of the run.
        source: the source, evaluated under its own preprocessing.
        session: the opened target.
        agreed: contract of the two.
        data: with `target_preprocessing`.
        verify: what counts as equal.
        same: figures of the target under the source's preprocessing.

    Raises:
        UnusableInput: a preprocessing was named although the inputs are no pictures, or it is unknown.
        AdapterFailure: the target does not run.
    """
    if not data.target_preprocessing:
        return None
    if data.path is None or not data.path.is_dir():
        raise UnusableInput(
            f"--target-preprocessing {data.target_preprocessing}: applies to a folder of pictures",
            "give one with --inputs, and the source's preset with --preprocessing",
        )
    ours = read_preprocessing(data) or RAW
    theirs = read_preprocessing(replace(data, preprocessing=data.target_preprocessing)) or RAW
    inputs = open_inputs(data.path, source.session.signature, theirs, data.limit)
    with context.phases.phase("reading inputs as deployed", inputs.count) as advance:
        chunks = materialise(inputs, context.folder("deployed"), context.settings.inputs.chunk, advance)
    feeds = feed_across(agreed, chunks, context.folder("feed"))
    outputs = evaluate(context, session, feeds, "running the target as deployed")
    deployed = compare(agreed, source.outputs, outputs, source.data.chunks, verify).result(source.held_out)
    if deployed.equal:
        return None
    said = "; ".join(f"{key}: {one} in the source, {two} as deployed" for key, one, two in _differing(ours, theirs))
    evidence = (
        f"{said}; differs on {max(deployed.disagreements, deployed.beyond_tolerance)} of {deployed.samples} inputs as "
        f"deployed, on {max(same.disagreements, same.beyond_tolerance)} with the source's"
    )
    fault = {
        "kind": "PP",
        "source": ours.name,
        "target": theirs.name,
        "operator": "preprocessing",
        "change": "different",
        "evidence": evidence,
        "isolated": deployed.relative,
        "propagated": deployed.relative,
        "proven": same.equal,
    }
    recipe = ", ".join(f"{key} {value}" for key, value in asdict(ours).items() if key in _RECIPE)
    return PreprocessingFault(fault, f"preprocess for the target as for the source: {ours.name} ({recipe})")


def _differing(ours: Preprocessing, theirs: Preprocessing) -> list[tuple[str, object, object]]:
    one, two = asdict(ours), asdict(theirs)
    return [(key, one[key], two[key]) for key in _RECIPE if one[key] != two[key]]
