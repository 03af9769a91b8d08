"""What a converter refuses of a graph, by what it declares."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from safeconvert.registry.manifest import adapters
from safeconvert.rewrite import rules
from safeconvert.rewrite.undeclared import refused

REFUSING = [adapter for adapter in adapters() if adapter.refuses]
MADE_BY_RULES = {"Erf"}
"""Operators that a rule writes, and none takes away."""


def graph(*nodes: onnx.NodeProto) -> onnx.ModelProto:
    """Nodes from x (n, 4) to y, with a table, indices and a condition that are constants."""
    constants = {"table": np.zeros((3, 4), "f4"), "indices": np.array([0, 1]), "condition": np.array([True])}
    made = helper.make_graph(
        list(nodes), "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])], [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)])


def node(kind: str, *inputs: str, to: str = "y") -> onnx.NodeProto:
    return helper.make_node(kind, list(inputs), [to], f"{kind} {to}")


@pytest.mark.parametrize(
    ("nodes", "found"),
    [
        ([node("Where", "condition", "x", "x")], ["Where y"]),
        ([node("Relu", "x")], []),
        ([node("Gather", "x", "indices")], []),
        ([node("Cast", "x", to="i"), node("Gather", "table", "i")], ["Gather y"]),
        ([node("Where", "condition", "table", "table", to="t"), node("Add", "x", "t")], []),  # constants are folded
        ([node("Shape", "x", to="s"), node("Where", "condition", "s", "s", to="t"), node("Reshape", "x", "t")], []),
        ([node("Where", "condition", "x", "x", to="unread"), node("Relu", "x")], []),
    ],
)
def test_what_is_refused(nodes: list[onnx.NodeProto], found: list[str]) -> None:
    assert [one.name for one in refused(graph(*nodes), ["Where"], ["Gather:1"])] == found


def test_an_operator_of_another_domain_is_another_one() -> None:
    own = helper.make_node("Where", ["condition", "x", "x"], ["y"], "own", domain="com.example")
    assert refused(graph(own), ["Where"], []) == []


@pytest.mark.parametrize("adapter", REFUSING, ids=[adapter.name for adapter in REFUSING])
def test_no_rule_expresses_what_is_refused(adapter: object) -> None:
    (found,) = (one for one in REFUSING if one is adapter)
    folder = Path(rules.__file__).parent
    text = "\n".join((folder / f"{rule}.py").read_text(encoding="utf-8") for rule in found.rules)
    for operator in set(found.refuses) - MADE_BY_RULES:
        assert onnx.defs.has(operator), operator
        assert not re.search(rf"""["']{operator}["']""", text), operator
        functions = [s for s in onnx.defs.get_all_schemas_with_history() if s.name == operator and not s.domain]
        assert not any(s.has_function or s.has_context_dependent_function for s in functions), operator
