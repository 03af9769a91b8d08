"""The published layer analysis: it points at the faulty layer, and both back ends rank alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from onnx import numpy_helper

from safeconvert.compare.relation import identity
from safeconvert.graph.activations import with_onnxruntime, with_tvm
from safeconvert.graph.view import GraphView, tidy
from safeconvert.localize.alignment import align
from safeconvert.localize.findings import LayerScore
from safeconvert.localize.layer_analysis import Groups, analyse, core_pairs
from safeconvert.localize.matching import Pair
from tests.onnx_models import cnn, random, run


def faulty() -> tuple[GraphView, GraphView]:
    """A net, and the same with the weights of its third convolution changed."""
    source = cnn()
    target = cnn()
    for tensor in target.graph.initializer:
        if tensor.name == "w3":
            values = numpy_helper.to_array(tensor).copy()
            values[:3] *= -2
            tensor.CopyFrom(numpy_helper.from_array(values, "w3"))
    return tidy(source), tidy(target)


def ranked(activations: Callable[..., object], count: int = 60) -> list[LayerScore]:
    source, target = faulty()
    inputs = [{"x": random(1, 3, 12, 12, seed=n) * (1 + n % 3)} for n in range(count)]
    same = [run(source.model, feeds)[0].argmax() == run(target.model, feeds)[0].argmax() for feeds in inputs]
    similar = [(feeds, feeds) for feeds, equal in zip(inputs, same, strict=True) if equal]
    dissimilar = [(feeds, feeds) for feeds, equal in zip(inputs, same, strict=True) if not equal]
    assert len(similar) >= 3 and len(dissimilar) >= 3
    found = align(source, target, inputs[:2], {"x": Pair("x", "x", identity(4))}, {"y": "y"}, 1e-4)
    layers = core_pairs(source, target, found.pairs, ("Conv", "Gemm", "MatMul"))
    assert [target.nodes[target.maker[pair.target]].name for pair in layers] == [
        "conv1",
        "conv2",
        "conv3",
        "classifier",
    ]
    return analyse(source, target, layers, Groups(similar, dissimilar, 0), activations)


def test_layers_in_front_of_the_fault_are_not_suspected() -> None:
    scores = {score.target: score for score in ranked(with_onnxruntime)}
    assert scores["conv1"].problematic == scores["conv2"].problematic == 0
    assert scores["conv3"].rate > 0 or scores["classifier"].rate > 0
    assert scores["conv3"].elements == 6 * 6 * 6


def test_too_few_inputs_rank_nothing() -> None:
    source, target = faulty()
    one = [({"x": random(1, 3, 12, 12)}, {"x": random(1, 3, 12, 12)})]
    layers = [Pair("c1", "c1", identity(4))]
    assert analyse(source, target, layers, Groups(one, one, 0), with_onnxruntime) == []
    assert analyse(source, target, layers, Groups([], one, 0), with_onnxruntime) == []


@pytest.mark.slow
@pytest.mark.converters
def test_tvm_ranks_as_onnx_runtime_does() -> None:
    ours, theirs = ranked(with_onnxruntime), ranked(with_tvm)
    assert [score.target for score in ours] == [score.target for score in theirs]
    for one, two in zip(ours, theirs, strict=True):
        assert one.problematic == pytest.approx(two.problematic, abs=max(2.0, 0.05 * one.elements))


def test_tvm_gives_the_same_activations() -> None:
    source, _ = faulty()
    feeds = [{"x": random(1, 3, 12, 12, seed=n)} for n in range(2)]
    for one, two in zip(
        with_onnxruntime(source, feeds, ["c1", "m"]), with_tvm(source, feeds, ["c1", "m"]), strict=True
    ):
        for name in ("c1", "m"):
            np.testing.assert_allclose(two[name], one[name], rtol=1e-4, atol=1e-5)
