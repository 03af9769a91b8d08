"""Rows that are others in the target's table are told, rounding and another table are not."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from safeconvert.graph.differing_rows import differing_rows, has_tables
from safeconvert.graph.integer_ranges import integer_ranges
from tests.onnx_models import cnn
from tests.scenarios.wrong_targets.pairs import graph, node

TABLE = np.random.default_rng(0).normal(size=(300, 4)).astype("f4")


def looked_up(*tables: np.ndarray) -> onnx.ModelProto:
    names = [f"table{number}" for number in range(len(tables))]
    nodes = [node("Gather", f"{name} ids", f"rows_{name}") for name in names]
    nodes.append(node("Sum", " ".join(f"rows_{name}" for name in names), "y"))
    return graph(nodes, {"ids": ("i", ["N", 6])}, ["y"], dict(zip(names, tables, strict=True)))


def changed(*rows: int) -> np.ndarray:
    table = TABLE.copy()
    table[list(rows)] += 1
    return table


def test_rows_that_differ_are_told_whatever_order_the_tables_are_in() -> None:
    other = TABLE[::-1] + np.float32(3)
    assert differing_rows(looked_up(TABLE, other), looked_up(other, changed(7, 250))) == [7, 250]
    assert differing_rows(looked_up(TABLE), looked_up(TABLE + np.float32(1e-6))) == []


def test_of_many_rows_a_few_are_told_and_of_another_table_none() -> None:
    told = differing_rows(looked_up(TABLE), looked_up(changed(*range(100, 240))))
    assert told[0] == 100 and told[-1] == 239 and len(told) == 64
    assert differing_rows(looked_up(TABLE), looked_up(TABLE[::-1])) == []
    assert differing_rows(looked_up(TABLE), looked_up(TABLE[:200])) == []


def test_a_graph_without_tables_is_not_read_further() -> None:
    assert has_tables(looked_up(TABLE)) and not has_tables(cnn())


def in_a_branch(table: np.ndarray) -> onnx.ModelProto:
    rows = helper.make_tensor_value_info("rows", TensorProto.FLOAT, None)
    body = helper.make_graph(
        [node("Gather", "table ids", "rows")], "body", [], [rows], [numpy_helper.from_array(table, "table")]
    )
    choice = helper.make_node("If", ["yes"], ["y"], then_branch=body, else_branch=body)
    ids, y = helper.make_tensor_value_info("ids", TensorProto.INT64, ["N"]), helper.make_empty_tensor_value_info("y")
    return helper.make_model(
        helper.make_graph([choice], "g", [ids], [y], [numpy_helper.from_array(np.array(True), "yes")])
    )


def test_tables_of_bodies_are_looked_at_and_bound_the_numbers_that_are_tried() -> None:
    assert differing_rows(in_a_branch(TABLE), in_a_branch(changed(44))) == [44]
    [found] = integer_ranges(in_a_branch(TABLE))
    assert found is not None and (found.low, found.high, found.rows) == (0, 300, 300)
