"""Units at which few weights of two graphs differ, in front of the weights or behind; and what they come to on a sample."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from safeconvert.graph.coverage import Coverage
from safeconvert.graph.sleeping import Unit, sleeping_units, waking
from tests.onnx_models import model, random

FRONT, BIAS, BACK = random(4, 8), np.zeros(8, np.float32), random(8, 3)
FILTERS, OTHERS = random(8, 3, 3, 3), random(5, 8, 3, 3)


def dense(
    front: np.ndarray = FRONT, bias: np.ndarray = BIAS, back: np.ndarray = BACK, turned: int = 0
) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Gemm", ["x", "w", "b"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("Gemm", ["r", "v"], ["y"], transB=turned),
    ]
    constants = {"w": front, "b": bias, "v": np.ascontiguousarray(back.T) if turned else back}
    return model(nodes, {"x": ["n", 4]}, ["y"], constants)


def convolutions(filters: np.ndarray = FILTERS, others: np.ndarray = OTHERS) -> onnx.ModelProto:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MaxPool", ["r"], ["p"], kernel_shape=[2, 2]),
        helper.make_node("Conv", ["p", "v"], ["y"]),
    ]
    return model(nodes, {"x": ["n", 3, 12, 12]}, ["y"], {"w": filters, "v": others})


def changed(array: np.ndarray, place: object) -> np.ndarray:
    made = array.copy()
    made[place] += 1
    return made


@pytest.mark.parametrize(
    ("source", "target", "numbers"),
    [
        (dense(), dense(back=changed(BACK, 5)), [5]),
        (dense(turned=1), dense(back=changed(BACK, 5), turned=1), [5]),
        (dense(), dense(bias=changed(BIAS, 2)), [2]),
        (dense(), dense(front=changed(FRONT, (slice(None), 6))), [6]),
        (convolutions(), convolutions(others=changed(OTHERS, (slice(None), 1))), [1]),
        (convolutions(), convolutions(filters=changed(FILTERS, 7)), [7]),
        (dense(), dense(), []),
        (dense(), dense(back=BACK * 2), []),
        (dense(), dense(back=BACK * np.float32(1 + 1e-5)), []),
    ],
)
def test_the_units_at_which_few_weights_differ(
    source: onnx.ModelProto, target: onnx.ModelProto, numbers: list[int]
) -> None:
    assert sleeping_units(source, target) == [Unit("h", number) for number in numbers]


def test_weights_that_read_the_inputs_have_none_in_front_of_them() -> None:
    plain = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    source, target = (model(plain, {"x": ["n", 4]}, ["y"], {"w": w}) for w in (FRONT, changed(FRONT, 1)))
    assert sleeping_units(source, target) == []


def test_a_unit_is_exercised_where_it_is_positive() -> None:
    coverage = Coverage(dense(), waking(dense(), [Unit("h", 2)]))
    assert coverage.items == ("unit 2 of h above 0",)
    along = np.sign(FRONT[:, 2])[None].astype(np.float32)
    assert coverage.exercised([along]) == {*coverage.items} and coverage.exercised([-along]) == set()
    near, far = (coverage.judged([-size * along]).margins[coverage.items[0]] for size in (1, 3))
    assert 0 < near < far
