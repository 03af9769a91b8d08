"""Ask the engine what is wrong with a target, and for a repaired ONNX graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from safeconvert.adapting import ModelRequest
from safeconvert.context import Context
from safeconvert.models import Export, open_model
from safeconvert.repair.problem import Chunk, Problem
from safeconvert.signature import Signature
from safeconvert.source import Source
from safeconvert.triangulation import across, renamed_tolerances
from safeconvert.verification import unchanged_contract
from safeconvert.verify.contract import Contract
from safeconvert.verify.settings import VerifySettings

_ENGINE = Path(__file__).parent / "repair" / "engine"


@dataclass(frozen=True)
class Diagnosis:
    """What the engine found.

    Attributes:
        faults: as the certificate lists them.
        trials: as the certificate lists them; `faults` in them are positions in `faults`.
        before, after: scores on the steering inputs, of the ONNX graphs.
        rounds: how often the graphs were aligned.
        ended: why the repair ended.
        repaired: the repaired ONNX graph, or None where no trial was accepted.
        layers: ranking of the published layer analysis, where it was asked for and possible.
        unranked: why it was not possible; else "".
        reexpressions: where the target computes the same with other operators.
        changes: what the repair changes (`lift.changes`), where it is constants and attributes only.
        record: errors along the layers, both graphs and the regions, for the evidence; see `Recorder`.
        folder: where the regions' files lie; None where there are none.
    """

    faults: tuple[dict[str, Any], ...]
    trials: tuple[dict[str, Any], ...]
    before: dict[str, Any]
    after: dict[str, Any]
    rounds: int
    ended: str
    layers: tuple[dict[str, Any], ...]
    repaired: Path | None
    changes: Path | None
    record: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    reexpressions: tuple[dict[str, Any], ...] = ()
    unranked: str = ""


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


def ask_engine(context: Context, function: str, doing: str, arguments: Mapping[str, Any]) -> Any:
    """Call a function of the engine in the worker that holds ONNX Runtime. Raises AdapterFailure, SafeconvertError."""
    request = {"op": "call", "adapter": str(_ENGINE), "function": function, "arguments": dict(arguments)}
    return context.pool.worker("onnx").call("safeconvert", doing, request)


def _onnx_signature(context: Context, path: Path, native: Signature) -> Signature:
    candidates = tuple(tuple(size or 0 for size in spec.shape) for spec in native.inputs)
    return open_model(context, "onnx", "onnx", ModelRequest(str(path), candidate_shapes=candidates)).signature
