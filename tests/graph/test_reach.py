"""Samples are changed until they exercise what the first ones leave out; the same ones on every run."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from safeconvert.graph.coverage import Coverage
from safeconvert.graph.mutate import Range, mutated
from safeconvert.graph.reach import reached
from safeconvert.graph.reach_plan import Plan

PLAN = Plan(seed=0, rounds=60, children=12, patience=15, whole=False)


def model(nodes: list[tuple[str, str, str, dict[str, object]]], **constants: np.ndarray) -> onnx.ModelProto:
    made = [
        helper.make_node(kind, inputs.split(), [output], f"{kind}_{output}", **more)
        for kind, inputs, output, more in nodes
    ]
    graph = helper.make_graph(
        made, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 8])], [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    found = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return onnx.shape_inference.infer_shapes(found)


def dead() -> onnx.ModelProto:
    """A Relu that noise never passes, and a bound far behind it."""
    weights = np.random.default_rng(1).normal(size=(8, 6)).astype("f4")
    return model(
        [("MatMul", "x w", "m", {}), ("Sub", "m far", "s", {}), ("Relu", "s", "r", {}), ("Clip", "r zero six", "y", {})],
        w=weights, far=np.float32(40), zero=np.float32(0), six=np.float32(6),
    )  # fmt: skip


def tied() -> onnx.ModelProto:
    """Scores behind a Relu, one of which is positive on noise."""
    weights = np.random.default_rng(2).normal(size=(8, 5)).astype("f4")
    bias = np.float32([4, 3, 0, 0, 0])
    return model(
        [("Gemm", "x w b", "m", {}), ("Relu", "m", "r", {}), ("ArgMax", "r", "y", {"axis": 1, "keepdims": 0})],
        w=weights, b=bias,
    )  # fmt: skip


def noise(count: int) -> list[list[np.ndarray]]:
    return [[row] for row in np.random.default_rng(0).normal(size=(count, 8)).astype("f4")]


@pytest.mark.parametrize(
    ("net", "items"),
    [(dead, {"Relu Relu_r above 0", "Clip Clip_y above 6"}), (tied, {"ArgMax ArgMax_y tied"})],
)
def test_what_noise_leaves_out_is_reached(net: object, items: set[str]) -> None:
    coverage = Coverage(net())  # type: ignore[operator]
    base = noise(20)
    before = {item for (sample,) in base for item in coverage.exercised([sample[None]])}
    assert not items & before
    found = reached(coverage, base, [], [Range()], PLAN)
    assert items <= {item for (sample,) in found for item in coverage.exercised([sample[None]])}
    again = reached(coverage, base, [], [Range()], PLAN)
    assert [one[0].tolist() for one in found] == [one[0].tolist() for one in again]


def test_what_is_tried_first_is_taken_only_where_it_shows_more() -> None:
    coverage = Coverage(dead())
    large = [[(sample * 300).astype("f4")] for (sample,) in noise(6)]
    none = Plan(0, 0, 0, 0, False)
    assert 1 <= len(reached(coverage, noise(20), large, [Range()], none)) < 6
    assert reached(coverage, [*noise(20), *large], large, [Range()], none) == []


@pytest.mark.parametrize("dtype", ["float32", "float16", "int64", "int32", "uint8", "bool"])
def test_changed_samples_keep_their_shape_type_and_range(dtype: str) -> None:
    random = np.random.default_rng(3)
    one, two = (random.integers(0, 2, size=(3, 5)).astype(dtype) for _ in range(2))
    made = [mutated(np.random.default_rng(seed), one, two, Range(1.0, -4, 7)) for seed in range(80)]
    assert all(array.shape == one.shape and array.dtype == one.dtype for array in made)
    assert all(np.isfinite(array.astype("f8")).all() for array in made)
    if dtype in ("int64", "int32"):
        assert min(array.min() for array in made) >= -4 and max(array.max() for array in made) < 7
    assert sum(not np.array_equal(array, one) for array in made) > 60
