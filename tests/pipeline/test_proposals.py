"""One loop verifies what repairs propose: in order, natively, and no further than the first that is equal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from safeconvert.adapter_api.protocol import UNCHANGED
from safeconvert.compare.settings import VerifySettings
from safeconvert.config.options import ConvertOptions, DataOptions, ModelOptions
from safeconvert.config.settings import load_settings
from safeconvert.conversion.route import Candidate
from safeconvert.core.faults import RouteOutcome
from safeconvert.core.formats import detect
from safeconvert.core.progress import Phases
from safeconvert.pipeline.proposals import verify_proposals
from safeconvert.pipeline.results import Attempt, Compared
from safeconvert.registry.routes import Route
from safeconvert.repair.proposals import NotMade, TargetProposal
from safeconvert.verification.source import Source, SourceOptions, evaluate_source
from safeconvert.workers.run import Run, open_run

WEIGHTS = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)


def saved(path: Path, weights: np.ndarray, width: int = 3) -> Path:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with open_run(load_settings(), Phases()) as made:
        yield made


@pytest.fixture(scope="module")
def source(run: Run) -> Source:
    file = detect(saved(run.scratch / "source" / "m.onnx", WEIGHTS))
    return evaluate_source(run, file, SourceOptions(ModelOptions(), DataOptions(limit=14), VerifySettings()))


def attempts(run: Run, proposals: Iterator[TargetProposal]) -> list[Attempt]:
    route = Route((), ("onnx", "onnx"))
    return list(verify_proposals(run, proposals, route, ConvertOptions(Path("m.onnx"), "onnx")))


def test_each_is_tried_as_far_as_the_first_that_is_equal(run: Run, source: Source) -> None:
    def proposed(name: str, weights: np.ndarray, width: int = 3) -> TargetProposal:
        return TargetProposal(name, Candidate(saved(run.scratch / name / "m.onnx", weights, width), UNCHANGED), source)

    def proposals() -> Iterator[TargetProposal]:
        yield TargetProposal("patched", NotMade("two layers hold this weight"), source)
        yield proposed("other interface", np.zeros((5, 2), np.float32), 5)
        yield proposed("wrong", WEIGHTS * 1.1)
        yield proposed("right", WEIGHTS)
        raise AssertionError("nothing is made behind the first that is equal")

    found = attempts(run, proposals())
    assert [(one.lift, one.outcome) for one in found] == [
        ("patched", RouteOutcome.CRASHED),
        ("other interface", RouteOutcome.NOT_EQUIVALENT),
        ("wrong", RouteOutcome.NOT_EQUIVALENT),
        ("right", RouteOutcome.VERIFIED),
    ]
    assert found[0].reason == "patched: two layers hold this weight"
    assert isinstance(found[3].result, Compared) and found[3].verified


def test_a_repair_that_does_not_load_is_not_blamed_on_a_converter(run: Run, source: Source) -> None:
    broken = saved(run.scratch / "broken" / "m.onnx", np.zeros((4, 2), np.float32))
    (found,) = attempts(run, iter([TargetProposal("patched", Candidate(broken, UNCHANGED), source)]))
    assert found.outcome is RouteOutcome.CRASHED and found.reason.startswith(
        "the repair wrote a target that does not load"
    )
