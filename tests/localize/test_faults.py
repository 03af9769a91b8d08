"""Faults are named at their nodes and undone; right targets have none, however they are said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safeconvert.graph.view import tidy
from tests.engine import solve
from tests.inject import INJECTORS, channels_last, folded, inject, renamed
from tests.onnx_models import NETS, random, run

LAST = (0, 2, 3, 1)
QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def inputs(shape: tuple[int, ...], seed: int = 0, count: int = 10) -> dict[str, np.ndarray]:
    return {"x": random(count, *shape, seed=seed)}


@pytest.mark.parametrize("name", NETS)
def test_a_target_said_otherwise_has_no_faults(name: str, tmp_path: Path) -> None:
    make, shape = NETS[name]
    source = make()
    image = len(shape) == 3
    rewritten = renamed(channels_last(folded(tidy(source))) if image else tidy(source))[0]
    found = solve(source, rewritten, inputs(shape), tmp_path, LAST if image else None)
    assert found.before.equal and found.faults == () and found.trials == () and found.ended == "equal"


@pytest.mark.parametrize("kind", INJECTORS)
@pytest.mark.parametrize("name", NETS)
def test_an_injected_fault_is_named_and_undone(name: str, kind: str, tmp_path: Path) -> None:
    make, shape = NETS[name]
    source = make(1)
    view, injected = inject(source, [kind], 3)
    if not injected:
        pytest.skip("this net has no place for such a fault")
    feeds = inputs(shape)
    if np.allclose(run(source, feeds)[0], run(view.model, feeds)[0], rtol=1e-5, atol=1e-6):
        pytest.skip("the fault has no effect on these inputs")
    image = len(shape) == 3
    rewritten, names = renamed(channels_last(view) if image else view)
    found = solve(source, rewritten, feeds, tmp_path, LAST if image else None)
    assert found.after.equal, (found.ended, found.faults, found.trials)
    for fault in found.faults:
        named = {names.get(target, target) for target in injected[0].targets}
        assert fault.target in named or fault.source in injected[0].sources, (fault, injected)
        assert fault.kind == kind.split()[0] or {fault.kind, kind.split()[0]} == {"CG", "TSS"}, fault
        assert fault.proven and fault.isolated > 1e-4
    assert found.faults


@settings(QUIET, max_examples=20)
@given(
    name=st.sampled_from(list(NETS)), kinds=st.lists(st.sampled_from(list(INJECTORS)), min_size=1, max_size=3),
    seed=st.integers(0, 10_000),
)  # fmt: skip
def test_a_repair_never_makes_a_target_worse_and_is_idempotent(
    name: str, kinds: list[str], seed: int, tmp_path: Path
) -> None:
    make, shape = NETS[name]
    source = make(seed % 5)
    view, _ = inject(source, kinds, seed)
    before = view.model.SerializeToString()
    feeds = inputs(shape, seed)
    found = solve(source, view, feeds, tmp_path)
    assert found.after.score <= found.before.score
    assert view.model.SerializeToString() == before, "the candidate that was given is unchanged"
    for trial in found.trials:
        assert trial.outcome in ("accepted", "no_gain", "invalid")
        assert (trial.outcome == "accepted") == (trial.after is not None and trial.after < trial.before)
    again = solve(source, found.candidate, feeds, tmp_path)
    assert again.after.score <= found.after.score
    if found.after.equal:
        assert again.faults == () and again.trials == ()


@settings(QUIET, max_examples=10)
@given(kind=st.sampled_from(list(INJECTORS)), seed=st.integers(0, 10_000))
def test_names_and_layout_do_not_change_the_findings(kind: str, seed: int, tmp_path: Path) -> None:
    make, shape = NETS["cnn"]
    source = make(seed % 5)
    view, _ = inject(source, [kind], seed)
    feeds = inputs(shape, seed)
    plain = solve(source, view, feeds, tmp_path)
    rewritten, names = renamed(channels_last(view))
    other = solve(source, rewritten, feeds, tmp_path, LAST)
    assert sorted((fault.kind, names.get(fault.target, fault.target)) for fault in plain.faults) == sorted(
        (fault.kind, fault.target) for fault in other.faults
    )


def test_without_repair_nothing_is_tried(tmp_path: Path) -> None:
    from dataclasses import replace

    from safeconvert.repair.engine.loop import repair
    from tests.engine import problem

    source = NETS["cnn"][0]()
    view, _ = inject(source, ["WB"], 0)
    found = repair(replace(problem(source, view, inputs((3, 12, 12)), tmp_path), repair=False))
    assert found.faults and found.trials == () and found.after == found.before


def test_unrelated_nets_end_without_a_traceback(tmp_path: Path) -> None:
    source, other = NETS["mlp"][0](0), NETS["mlp"][0](1)
    target = onnx.ModelProto.FromString(other.SerializeToString())
    found = solve(source, target, inputs((12,)), tmp_path)
    assert found.ended
    assert found.after.score <= found.before.score
