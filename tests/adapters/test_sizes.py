"""Sizes of which some are free, computed as ONNX computes numbers."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from onnx import helper
from onnx.reference import ReferenceEvaluator

from tests.command import ROOT

sys.path.insert(0, str(ROOT))
from adapters._operators.node import Node
from adapters._operators.sizes import Dim, on_sizes

BATCH = 5
SIZES = np.array([Dim(("batch",)), 9, 10, 6], dtype=object)
CASES: list[tuple[str, list[Any], dict[str, Any]]] = [
    ("ReduceProd", [SIZES], {"axes": [0], "keepdims": 0}),
    ("ReduceProd", [SIZES], {"axes": [-1], "keepdims": 1}),
    ("ReduceProd", [SIZES], {}),
    ("ReduceProd", [SIZES.reshape(2, 2)], {"keepdims": 0}),
    ("ReduceProd", [SIZES[:1].reshape(())], {}),
    ("Unsqueeze", [SIZES[:1].reshape(()), np.array([0])], {}),
    ("Unsqueeze", [SIZES, np.array([0])], {}),
    ("Unsqueeze", [SIZES, np.array([0, -1])], {}),
    ("Squeeze", [SIZES[:1]], {}),
    ("Squeeze", [SIZES[:1].reshape(1, 1), np.array([0])], {}),
    ("Squeeze", [SIZES.reshape(1, 4), np.array([0])], {}),
    ("Gather", [SIZES, np.array(0)], {}),
    ("Gather", [SIZES, np.array([0])], {}),
    ("Gather", [SIZES, np.array([[3, 0]])], {}),
    ("Concat", [SIZES[:1], SIZES[2:]], {"axis": 0}),
]


@pytest.mark.parametrize(("operator", "inputs", "attributes"), CASES)
def test_they_have_the_value_and_the_shape_that_onnx_gives(
    operator: str, inputs: list[Any], attributes: dict[str, Any]
) -> None:
    node = Node(None, operator, "node", 17, attributes, inputs, ["y"], [None], {})
    found = on_sizes(operator, node, inputs)
    assert found is not None
    names = [f"x{place}" for place in range(len(inputs))]
    proto = helper.make_node(operator, names, ["y"], **attributes)
    fed = {name: _counted(value) for name, value in zip(names, inputs, strict=True)}
    declared = [helper.make_tensor_value_info(name, 7, value.shape) for name, value in fed.items()]
    graph = helper.make_graph([proto], "one", declared, [helper.make_empty_tensor_value_info("y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    expected = ReferenceEvaluator(model).run(None, fed)[0]
    assert found.shape == np.shape(expected)
    assert np.array_equal(_counted(found), expected)


def test_a_product_along_some_axes_is_left_to_the_framework() -> None:
    sizes = SIZES.reshape(2, 2)
    node = Node(None, "ReduceProd", "node", 17, {"axes": [0]}, [sizes], ["y"], [None], {})
    assert on_sizes("ReduceProd", node, [sizes]) is None


def _counted(sizes: np.ndarray) -> np.ndarray:
    """Sizes with a number for the free one."""
    numbers = [int(size.coefficient * BATCH) if isinstance(size, Dim) else int(size) for size in sizes.reshape(-1)]
    return np.array(numbers, np.int64).reshape(sizes.shape)
