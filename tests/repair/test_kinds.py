"""Each kind of faults explains its own faults alone; one more is a module and its place among the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from safeconvert.core.faults import TrialOutcome
from safeconvert.localize.kinds import Kind
from safeconvert.repair import computation_graph, hyperparameters, tensor_structure, weights
from safeconvert.repair.engine.kinds import KINDS
from safeconvert.repair.engine.loop import repair
from tests.engine import problem
from tests.inject import channels_last, inject, renamed
from tests.onnx_models import NETS, model, random
from tests.repair import other_operator


def activated(operator: str) -> onnx.ModelProto:
    nodes = [helper.make_node(operator, ["x"], ["h"], "act"), helper.make_node("Exp", ["h"], ["y"], "exp")]
    return model(nodes, {"x": ["batch", 3]}, ["y"])


@pytest.mark.parametrize(
    ("injected", "kind"),
    [
        ("WB", weights.KIND),
        ("LH", hyperparameters.KIND),
        ("TSS", tensor_structure.KIND),
        ("CG insert", computation_graph.KIND),
        ("CG swap", computation_graph.KIND),
    ],
)
def test_a_kind_explains_its_own_faults_without_the_others(injected: str, kind: Kind, tmp_path: Path) -> None:
    make, shape = NETS["inception" if injected == "CG swap" else "cnn"]
    view, made = inject(make(1), [injected], 3)
    assert made
    found = repair(problem(make(1), view, {"x": random(8, *shape, seed=0)}, tmp_path), (kind,))
    assert found.after.equal and {fault.kind for fault in found.faults} == {injected.split()[0]}


def test_a_weight_in_another_order_of_axes_is_no_fault_of_weights(tmp_path: Path) -> None:
    make, shape = NETS["cnn"]
    view, _ = inject(make(1), ["WB"], 3)
    moved, _ = renamed(channels_last(view))
    pair = problem(make(1), moved, {"x": random(8, *shape, seed=0)}, tmp_path, (0, 2, 3, 1))
    (fault,) = repair(pair, (weights.KIND,)).faults
    assert fault.proven and "values differ" in fault.evidence


def test_a_kind_that_is_registered_locates_and_proposes(tmp_path: Path) -> None:
    pair = problem(activated("Tanh"), activated("Sigmoid"), {"x": random(8, 3, seed=0)}, tmp_path)
    nothing = repair(pair, ())
    assert nothing.faults == () and not nothing.after.equal
    found = repair(pair, (other_operator.KIND, *KINDS))
    (fault,) = found.faults
    assert fault.proven and fault.target == "act" and fault.evidence == "Tanh in the source, Sigmoid in the target"
    assert [trial.outcome for trial in found.trials] == [TrialOutcome.ACCEPTED] and found.after.equal
    assert [node.op_type for node in found.candidate.nodes] == ["Tanh", "Exp"]
    assert np.isclose(found.after.score.distance, 0.0)
