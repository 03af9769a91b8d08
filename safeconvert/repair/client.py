"""Ask the engine what is wrong with a target, and for a repaired ONNX graph."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.contract import Contract
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Export, open_model
from safeconvert.core.signature import Signature
from safeconvert.repair.engine.problem import Chunk, Problem
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.cross_pairs import across, renamed_tolerances
from safeconvert.verification.native import unchanged_contract
from safeconvert.verification.source import Source
from safeconvert.workers.engine import ask_engine
from safeconvert.workers.run import Context


def diagnose(
    context: Context,
    source: Source,
    target: Signature,
    exported: Export,
    agreed: Contract,
    verify: VerifySettings,
    repair: bool,
    layer_analysis: str = "",
) -> Diagnosis:
    """Localize the faults of a target, and repair its ONNX form.

    Args:
        context: of the run.
        source: the source, evaluated; its ONNX form is equal to it.
        target: signature of the native target.
        exported: the target's ONNX form, equal to it.
        agreed: contract of the native models.
        verify: what counts as equal.
        repair: False only localizes.
        layer_analysis: back end of the published layer analysis; "" leaves it out.

    Raises:
        AdapterFailure, SafeconvertError: the engine could not run.
    """
    problem = _problem(context, source, target, exported, agreed, verify, repair, layer_analysis)
    with context.phases.phase("repairing" if repair else "localizing"):
        answer = ask_engine(context, "solve", f"repairing {Path(problem.target).name}", {"request": problem.to_json()})
    return Diagnosis(
        faults=tuple(answer["faults"]),
        trials=tuple(answer["trials"]),
        before=answer["before"],
        after=answer["after"],
        rounds=answer["rounds"],
        ended=answer["ended"],
        layers=tuple(answer["layers"]),
        unranked=answer["unranked"],
        repaired=Path(answer["repaired"]) if answer["repaired"] else None,
        changes=Path(answer["changes"]) if answer["changes"] else None,
        record=answer["record"],
        folder=Path(problem.folder),
        reexpressions=tuple(answer["reexpressions"]),
    )


def measure(
    context: Context, source: Source, target: Signature, exported: Export, agreed: Contract, verify: VerifySettings
) -> dict[str, Any]:
    """The errors along the layers of a target, right or wrong, and both graphs; see `Recorder`.

    Args, Raises: as `diagnose`.
    """
    problem = _problem(context, source, target, exported, agreed, verify, False, "")
    with context.phases.phase("comparing layers"):
        found: dict[str, Any] = ask_engine(
            context, "measure", f"comparing layers of {Path(problem.target).name}", {"request": problem.to_json()}
        )
    return found


def _problem(
    context: Context,
    source: Source,
    target: Signature,
    exported: Export,
    agreed: Contract,
    verify: VerifySettings,
    repair: bool,
    layer_analysis: str,
) -> Problem:
    """What the engine is asked: both ONNX forms, and the contract and inputs as these have them."""
    assert source.exported.path is not None and exported.path is not None
    ours = _onnx_signature(context, source.exported.path, source.session.signature)
    theirs = _onnx_signature(context, exported.path, target)
    left = unchanged_contract(source.session.signature, ours)
    right = unchanged_contract(target, theirs)
    names = {tensor.source.name: tensor.target.name for tensor in left.inputs}
    return Problem(
        source=str(source.exported.path),
        target=str(exported.path),
        agreed=across(agreed, left, right),
        chunks=tuple(
            Chunk(chunk.start, chunk.stop, {names[name]: str(path) for name, path in chunk.arrays.items()})
            for chunk in source.data.chunks
        ),
        steering=tuple(int(number) for number in (source.steering if len(source.steering) else source.held_out)),
        verify=replace(verify, tolerances=renamed_tolerances(verify, left)),
        settings=context.settings.repair,
        folder=str(context.folder("repair")),
        repair=repair,
        search_path=str(Path.cwd()),
        layer_analysis=layer_analysis,
    )  # fmt: skip


def _onnx_signature(context: Context, path: Path, native: Signature) -> Signature:
    candidates = tuple(tuple(size or 0 for size in spec.shape) for spec in native.inputs)
    return open_model(context, "onnx", "onnx", ModelRequest(str(path), candidate_shapes=candidates)).signature
