"""The engine in the worker that holds ONNX Runtime: localize and repair one pair of ONNX graphs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from safeconvert.compare.contract import Contract
from safeconvert.core.arrays import save_array
from safeconvert.core.faults import TrialOutcome
from safeconvert.core.obstacles import Obstacle
from safeconvert.errors import NoVerdict
from safeconvert.graph import interface
from safeconvert.graph.obstacles import named, undefined
from safeconvert.graph.stored import light_graph, open_graph
from safeconvert.graph.view import tidy
from safeconvert.prove.checker.check import check
from safeconvert.prove.disprove import Tolerances, counterexample
from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.prover import prove
from safeconvert.prove.steps import form_digest
from safeconvert.prove.structure import same_structure
from safeconvert.prove.unproven import Unproven
from safeconvert.repair.engine.changed import changes_of
from safeconvert.repair.engine.export_problem import ExportProblem
from safeconvert.repair.engine.exports import explain
from safeconvert.repair.engine.loop import measured, repair
from safeconvert.repair.engine.problem import Problem
from safeconvert.repair.engine.scoring import Broken
from safeconvert.rewrite.undeclared import refused

PRELOADED = ("safeconvert.prove.readers.read",)
"""What reading a native file imports."""


def solve(request: Mapping[str, Any]) -> dict[str, Any]:
    """Localize, and repair where the problem requests it.

    Returns:
        What `Diagnosis.from_json` reads: faults, trials, scores, and the paths of the repaired graph and of what it
        changes (`safeconvert.adapter_api.changes`), where something was accepted.

    Raises:
        NoVerdict: one of the graphs does not run at all.
    """
    problem = Problem.from_json(request)
    try:
        found = repair(problem)
    except Broken as error:
        raise NoVerdict(f"{problem.target}: its ONNX form does not run: {error}") from error
    accepted = any(trial.outcome is TrialOutcome.ACCEPTED for trial in found.trials)
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
        "faults": [fault.record().to_json() for fault in found.faults],
        "trials": [trial.to_json() for trial in found.trials],
        "before": found.before.record().to_json(),
        "after": found.after.record().to_json(),
        "rounds": found.rounds,
        "ended": found.ended,
        "repaired": repaired,
        "changes": changes,
        "layers": [layer.to_json() for layer in found.layers],
        "unranked": found.unranked,
        "record": found.record,
        "reexpressions": [one.to_json() for one in found.reexpressions],
    }


def explain_export(request: Mapping[str, Any]) -> dict[str, Any]:
    """Where an ONNX form leaves its native model; see `exports.explain`."""
    return explain(ExportProblem.from_json(request))


def measure(request: Mapping[str, Any]) -> dict[str, Any]:
    """The errors along the layers of a pair, and both graphs; see `recorder`. Raises NoVerdict as `solve`."""
    problem = Problem.from_json(request)
    try:
        return measured(problem)
    except Broken as error:
        raise NoVerdict(f"{problem.target}: its ONNX form does not run: {error}") from error


def named_operators(path: str, messages: list[str]) -> list[dict[str, str]]:
    """The operators of an ONNX file that messages name; see `graph.obstacles.named`."""
    return [one.to_json() for one in named(light_graph(path), messages)]


def undefined_operators(path: str) -> list[dict[str, str]]:
    """The operators of an ONNX file that nobody defines; see `graph.obstacles.undefined`."""
    return [one.to_json() for one in undefined(light_graph(path))]


def refused_operators(path: str, operators: list[str], constant_inputs: list[str]) -> list[dict[str, str]]:
    """What of an ONNX file a converter refuses by what it declares; see `rewrite.undeclared`."""
    found = refused(light_graph(path), operators, constant_inputs)
    return [Obstacle(node.op_type, node.name or next(iter(node.output), "")).to_json() for node in found]


def structure(source: str, target: str) -> bool:
    """Whether two ONNX files are the same graph but for names; see `prove.structure.same_structure`."""
    return same_structure(tidy(open_graph(source)), tidy(open_graph(target)))


def prove_equal(source: str, target: str, contract: Mapping[str, Any]) -> dict[str, Any]:
    """Whether two ONNX files are one function under a contract; see `prove.prover.prove`.

    Raises:
        NoVerdict: a graph that cannot be read into terms.
    """
    ours, theirs = open_graph(source), open_graph(target)
    try:
        found = prove(ours, theirs, Contract.from_json(contract))
    except (ValueError, KeyError, IndexError, TypeError, onnx.shape_inference.InferenceError) as error:
        raise NoVerdict(f"{target}: cannot be read by the prover: {error}") from error
    same = found.proven and (found.same_file or same_structure(tidy(ours), tidy(theirs)))
    return {**asdict(found), "same_graph": same}


def read_file(path: str, format_name: str, target: str, inputs: Sequence[Mapping[str, Any]]) -> str:
    """Write the ONNX graph of a native file, see `prove.readers`; what its reader does not know, "" where it is written.

    Args:
        path: the file.
        format_name: its format.
        target: where the graph is written.
        inputs: `name`, `shape` and `dtype` of what it is fed.
    """
    from safeconvert.prove.readers.read import read_native  # h5py, which nothing else of the engine needs
    from safeconvert.prove.readers.writer import Input

    try:
        kinds = [onnx.helper.np_dtype_to_tensor_dtype(np.dtype(one["dtype"])) for one in inputs]
        given = [Input(one["name"], kind, tuple(one["shape"])) for one, kind in zip(inputs, kinds, strict=True)]
    except (TypeError, KeyError, ValueError):
        given = []  # of types that numpy has no name for: a reader that has to be told them says so
    try:
        onnx.save(read_native(Path(path), format_name, given), target)
    except Refused as error:
        return str(error)
    return ""


def check_proof(source: str, target: str, proof: Mapping[str, Any]) -> dict[str, Any]:
    """What the checker says of a proof of two ONNX files; `refused` says why it does not hold, "" where it does."""
    ours, theirs = open_graph(source), open_graph(target)
    try:
        shown = check(ours, theirs, proof)
    except Refused as error:
        return {"refused": str(error)}
    return {"refused": "", "forms": {"source": form_digest(ours), "target": form_digest(theirs)}, **asdict(shown)}


def disprove(request: Mapping[str, Any]) -> list[str]:
    """Files of inputs on which two ONNX files differ, searched where a proof ended; [] where none is found. See `prove.disprove`.

    Args:
        request: paths `source` and `target`, their `contract`, files of `given` inputs, what is `unproven`, `tolerances`, and a `folder`.
    """
    ended = [
        Unproven(**{**one, "reads": tuple(one["reads"]), "source": tuple(one["source"])}) for one in request["unproven"]
    ]
    arrays = [np.load(path, allow_pickle=False) for path in request["given"]]
    graphs = open_graph(request["source"]), open_graph(request["target"])
    contract, tolerances = Contract.from_json(request["contract"]), Tolerances(*request["tolerances"])
    found = counterexample(graphs, contract, arrays, ended, tolerances) or []
    paths = [str(Path(request["folder"]) / f"{number}.npy") for number in range(len(found))]
    for path, array in zip(paths, found, strict=True):
        save_array(Path(path), array)
    return paths


def scale_input(path: str, target: str, axis: int, factor: list[float], offset: list[float], reverse: bool) -> None:
    """Write a graph whose input is scaled first; see `graph.interface.scale_input`."""
    onnx.save(interface.scale_input(onnx.load(path), axis, factor, offset, reverse), target)


def resize_inputs(path: str, target: str, shapes: list[list[int | None]]) -> None:
    """Write a graph that takes other sizes; see `graph.interface.resize_inputs`."""
    onnx.save(interface.resize_inputs(onnx.load(path), shapes), target)


def keep_outputs(path: str, target: str, positions: list[int]) -> None:
    """Write a graph with fewer outputs; see `graph.interface.keep_outputs`."""
    onnx.save(interface.keep_outputs(onnx.load(path), positions), target)
