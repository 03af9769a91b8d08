"""The engine in the worker that holds ONNX Runtime: localize and repair one pair of ONNX graphs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from safeconvert.errors import NoVerdict
from safeconvert.graph import interface
from safeconvert.graph.obstacles import named, undefined
from safeconvert.graph.view import tidy
from safeconvert.localize.faults import Fault
from safeconvert.prove.structure import same_structure
from safeconvert.repair.engine.changed import changes_of
from safeconvert.repair.engine.loop import Trial, measured, repair
from safeconvert.repair.engine.problem import Problem
from safeconvert.repair.engine.scoring import Broken, Scored


def solve(request: Mapping[str, Any]) -> dict[str, Any]:
    """Localize, and repair where the problem asks for it.

    Returns:
        What `safeconvert.diagnosis` reads: faults, trials, scores, and the paths of the repaired graph and of what it
        changes (`safeconvert.lift.changes`), where something was accepted.

    Raises:
        NoVerdict: one of the graphs does not run at all.
    """
    problem = Problem.from_json(request)
    try:
        found = repair(problem)
    except Broken as error:
        raise NoVerdict(f"{problem.target}: its ONNX form does not run: {error}") from error
    accepted = any(trial.outcome == "accepted" for trial in found.trials)
    repaired = ""
    changes = ""
    if accepted:
        repaired = str(Path(problem.folder) / "repaired.onnx")
        onnx.save(found.candidate.model, repaired)
        patched = changes_of(tidy(onnx.load(problem.target)), found.edits)
        if patched is not None:
            changes = str(Path(problem.folder) / "changes.npz")
            patched.save(Path(changes))
    return {
        "faults": [_fault(fault) for fault in found.faults],
        "trials": [_trial(trial) for trial in found.trials],
        "before": _scored(found.before),
        "after": _scored(found.after),
        "rounds": found.rounds,
        "ended": found.ended,
        "repaired": repaired,
        "changes": changes,
        "layers": [asdict(layer) for layer in found.layers],
        "unranked": found.unranked,
        "record": found.record,
        "reexpressions": [asdict(one) for one in found.reexpressions],
    }


def measure(request: Mapping[str, Any]) -> dict[str, Any]:
    """The errors along the layers of a pair, and both graphs; see `repair.recorder`. Raises NoVerdict as `solve`."""
    problem = Problem.from_json(request)
    try:
        return measured(problem)
    except Broken as error:
        raise NoVerdict(f"{problem.target}: its ONNX form does not run: {error}") from error


def named_operators(path: str, messages: list[str]) -> list[dict[str, str]]:
    """The operators of an ONNX file that messages name; see `graph.obstacles.named`."""
    return [asdict(one) for one in named(onnx.load(path, load_external_data=False), messages)]


def undefined_operators(path: str) -> list[dict[str, str]]:
    """The operators of an ONNX file that nobody defines; see `graph.obstacles.undefined`."""
    return [asdict(one) for one in undefined(onnx.load(path, load_external_data=False))]


def structure(source: str, target: str) -> bool:
    """Whether two ONNX files are the same graph but for names; see `graph.structure.same_structure`."""
    return same_structure(tidy(onnx.load(source)), tidy(onnx.load(target)))


def scale_input(path: str, target: str, axis: int, factor: list[float], offset: list[float], reverse: bool) -> None:
    """Write a graph whose input is scaled first; see `graph.interface.scale_input`."""
    onnx.save(interface.scale_input(onnx.load(path), axis, factor, offset, reverse), target)


def resize_inputs(path: str, target: str, shapes: list[list[int | None]]) -> None:
    """Write a graph that takes other sizes; see `graph.interface.resize_inputs`."""
    onnx.save(interface.resize_inputs(onnx.load(path), shapes), target)


def keep_outputs(path: str, target: str, places: list[int]) -> None:
    """Write a graph with fewer outputs; see `graph.interface.keep_outputs`."""
    onnx.save(interface.keep_outputs(onnx.load(path), places), target)


def _fault(fault: Fault) -> dict[str, Any]:
    return {
        "kind": fault.kind,
        "source": fault.source,
        "target": fault.target,
        "operator": fault.operator,
        "change": fault.change,
        "evidence": fault.what,
        "isolated": _finite(fault.isolated),
        "propagated": _finite(fault.propagated),
        "proven": fault.proven,
    }


def _trial(trial: Trial) -> dict[str, Any]:
    return {
        "faults": list(trial.faults),
        "outcome": trial.outcome,
        "reason": trial.reason,
        "before": _numbers(asdict(trial.before)),
        "after": _numbers(asdict(trial.after)) if trial.after is not None else None,
    }


def _scored(scored: Scored) -> dict[str, Any]:
    return {**_numbers(asdict(scored.score)), "unequal": list(scored.unequal)}


def _numbers(values: Mapping[str, float]) -> dict[str, Any]:
    return {name: _finite(value) for name, value in values.items()}


def _finite(value: float) -> float | str:
    return value if np.isfinite(value) else repr(float(value))
