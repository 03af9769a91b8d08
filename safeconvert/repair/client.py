"""Call the engine: what is wrong with a target, and for a repaired ONNX graph."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.contract import Contract
from safeconvert.compare.scale import fitted
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import open_model
from safeconvert.core.signature import Signature
from safeconvert.repair.engine.problem import Chunk, Problem
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.cross_pairs import across, renamed_tolerances
from safeconvert.verification.native import real_scales, unchanged_contract
from safeconvert.verification.source import Source
from safeconvert.verification.types import Verification
from safeconvert.workers.engine import call_engine
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class OnnxPair:
    """The ONNX forms of a source and a target, each equal to its native model as far as that matters.

    Attributes:
        source: evaluated.
        source_graph: its ONNX form.
        target: signature of the native target.
        target_graph: its ONNX form.
        contract: of the native models.
    """

    source: Source
    source_graph: Path
    target: Signature
    target_graph: Path
    contract: Contract


def onnx_pair(source: Source, verification: Verification) -> OnnxPair | None:
    """The ONNX forms of a pair that was compared; None where one has none."""
    ours, theirs = ((side.reference or side.exported).path for side in (source, verification))
    if ours is None or theirs is None:
        return None
    return OnnxPair(source, ours, verification.target, theirs, verification.contract)


def diagnose(run: Run, pair: OnnxPair, settings: VerifySettings, repair: bool, layer_analysis: str = "") -> Diagnosis:
    """Localize the faults of a target, and repair its ONNX form.

    Args:
        run: the surroundings.
        pair: the ONNX forms.
        settings: what counts as equal.
        repair: False only localizes.
        layer_analysis: back end of the published layer analysis; "" leaves it out.

    Raises:
        AdapterFailure, SafeconvertError: the engine could not run.
    """
    problem = replace(_problem(run, pair, settings), repair=repair, layer_analysis=layer_analysis)
    with run.phases.phase("repairing" if repair else "localizing"):
        answer = call_engine(run, "solve", f"repairing {Path(problem.target).name}", {"request": problem.to_json()})
    return Diagnosis.from_json(answer, Path(problem.folder))


def measure(run: Run, pair: OnnxPair, settings: VerifySettings) -> dict[str, Any]:
    """The errors along the layers of a target, right or wrong, and both graphs; see `Recorder`.

    Args, Raises: as `diagnose`.
    """
    problem = replace(_problem(run, pair, settings), repair=False)
    with run.phases.phase("comparing layers"):
        found: dict[str, Any] = call_engine(
            run, "measure", f"comparing layers of {pair.target_graph.name}", {"request": problem.to_json()}
        )
    return found


def _problem(run: Run, pair: OnnxPair, settings: VerifySettings) -> Problem:
    """What the engine is given: both ONNX forms, and the contract and inputs as these have them."""
    source = pair.source
    ours = _onnx_signature(run, pair.source_graph, source.session.signature)
    theirs = _onnx_signature(run, pair.target_graph, pair.target)
    left = unchanged_contract(source.session.signature, ours)
    right = unchanged_contract(pair.target, theirs)
    names = {tensor.source.name: tensor.target.name for tensor in left.inputs}
    last = source.data.chunks[-1].stop
    known = tuple(replace(one, start=one.start + last, stop=one.stop + last) for one in source.counterexamples)
    chunks = (*source.data.chunks, *known)
    steering = tuple(int(number) for number in (source.steering if len(source.steering) else source.held_out))
    narrowed = fitted(settings, real_scales(pair.contract, source.outputs))
    return Problem(
        source=str(pair.source_graph),
        target=str(pair.target_graph),
        contract=across(pair.contract, left, right),
        chunks=tuple(
            Chunk(chunk.start, chunk.stop, {names[name]: str(path) for name, path in chunk.arrays.items()}, chunk.whole)
            for chunk in chunks
        ),
        steering=(*steering, *range(last, chunks[-1].stop)),
        verify=replace(narrowed, tolerances=renamed_tolerances(narrowed, left)),
        settings=run.settings.repair,
        folder=str(run.folder("repair")),
        search_path=str(Path.cwd()),
    )  # fmt: skip


def _onnx_signature(run: Run, path: Path, native: Signature) -> Signature:
    candidates = tuple(tuple(size or 0 for size in spec.shape) for spec in native.inputs)
    return open_model(run, "onnx", "onnx", ModelRequest(str(path), candidate_shapes=candidates)).signature
