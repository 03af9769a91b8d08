"""Control flow, tables and inputs that only one of two graphs has."""

from __future__ import annotations

import numpy as np

from safeconvert.graph.inventory import one_sided
from tests.scenarios.wrong_targets.pairs import branch, graph, node

INPUTS = {"ids": ("i", ["N"]), "x": ("f", ["N", 2])}


def test_a_table_and_an_input_on_one_side_are_named() -> None:
    table = graph([node("Gather", "t ids", "g"), node("Add", "g x", "y")], INPUTS, ["y"], {"t": np.zeros((5, 2), "f4")})
    product = graph(
        [node("Cast", "ids", "f", to=1), node("Unsqueeze", "f one", "u"), node("MatMul", "u t", "y")], INPUTS, ["y"],
        {"t": np.zeros((1, 2), "f4"), "one": np.array([1])},
    )  # fmt: skip
    assert one_sided(table, product) == [
        "table of 5 by 2 only in the source",
        "input x is read by the other model and not by the target",
    ]
    assert one_sided(table, table) == []


def test_a_branch_on_one_side_is_named() -> None:
    source = branch(0).source
    plain = graph([node("Relu", "x", "y")], {"x": ("f", [1, 8])}, ["y"], {})
    assert one_sided(source, plain) == ["control flow If only in the source"]
    assert one_sided(plain, source) == ["control flow If only in the target"]
