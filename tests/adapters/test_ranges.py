"""Integer inputs: rows of the tables that they index, numbers of both signs, or nothing known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from safeconvert.core.resources import data_folder
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.graph.ranges import IntegerRange
from safeconvert.inputs.generate import generate
from safeconvert.inputs.integers import integers
from safeconvert.verification.dataset import _fitting
from safeconvert.workers._worker import load_adapter


def node(kind: str, *inputs: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, [*inputs], ["y"], kind, **attributes)


def inner(kind: str, made: str, *inputs: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, [*inputs], [made], made, **attributes)


CASES = [
    ([node("Gather", "table", "x", axis=0)], (0, 7)),
    ([inner("Sub", "s", "x", "three"), node("Gather", "table", "s")], (3, 10)),
    ([inner("Div", "d", "x", "three"), inner("Add", "s", "d", "three"), node("Gather", "table", "s")], (-9, 12)),
    ([inner("Mul", "m", "x", "minus"), node("Gather", "table", "m")], (-6, 1)),
    ([inner("Mod", "m", "x", "three"), node("Gather", "table", "m")], (-9, 10)),
    (
        [
            inner("Less", "l", "x", "three"),
            inner("Cast", "c", "l", to=7),
            inner("Add", "w", "x", "seven"),
            inner("Mul", "m", "c", "w"),
            inner("Not", "n", "l"),
            inner("Cast", "d", "n", to=7),
            inner("Mul", "k", "x", "d"),
            inner("Add", "s", "m", "k"),
            node("Gather", "table", "s"),
        ],
        (0, 7),
    ),
    ([node("Mod", "x", "three")], (-9, 10)),
    ([node("Div", "three", "x")], (1, 10)),
    ([inner("Cast", "f", "x", to=1), node("Sigmoid", "f")], (-9, 10)),
    ([node("Equal", "x", "hundred")], (-9, 102)),
    ([node("Reshape", "three", "x")], None),
    ([node("OneHot", "x", "three", "table")], (0, 3)),
    ([inner("Add", "s", "x", "three"), node("Expand", "three", "s")], None),
    ([inner("Exp", "e", "x"), node("Gather", "table", "e")], (0, 10)),
    ([node("ConstantOfShape", "x")], None),
    ([node("BitwiseAnd", "x", "seven")], (-9, 10)),
    ([node("BitShift", "seven", "x", direction="LEFT")], None),
    ([node("ScatterElements", "table", "x", "x")], (0, 10)),
    ([node("NonZero", "x")], (0, 10)),
]


@pytest.mark.parametrize(
    ("nodes", "expected"), CASES, ids=lambda value: "-".join(n.op_type for n in value) if isinstance(value, list) else ""
)  # fmt: skip
def test_what_an_integer_input_takes(nodes: list[onnx.NodeProto], expected: object, tmp_path: Path) -> None:
    taken = ranges(nodes, TensorProto.INT64, tmp_path)
    assert (taken and (taken.low, taken.high)) == expected


def test_values_at_which_the_graph_divides_or_compares_are_near(tmp_path: Path) -> None:
    taken = ranges([inner("Div", "d", "x", "three"), node("Less", "d", "three")], TensorProto.INT64, tmp_path)
    assert taken is not None and {-3, 0, 3, 9} <= set(taken.near) and taken.far == (-5 * 10**9, 5 * 10**9 + 1)


def test_numbers_that_are_multiplied_with_each_other_stay_small_where_they_are_real(tmp_path: Path) -> None:
    real = [inner("Cast", "f", "x", to=TensorProto.FLOAT), node("Mul", "f", "f")]
    taken = ranges(real, TensorProto.INT64, tmp_path)
    assert taken is not None and taken.far is None


def test_products_of_integers_leave_32_bits_where_the_source_has_more(tmp_path: Path) -> None:
    narrow = [inner("Cast", "f", "x", to=TensorProto.INT32), node("Mul", "f", "f")]
    found = [ranges(nodes, TensorProto.INT64, tmp_path) for nodes in ([node("Mul", "x", "x")], narrow)]
    assert [taken and taken.far for taken in found] == [(-90_000, 90_001), (-1000, 1001)]


@pytest.mark.parametrize(
    ("kind", "to", "past"),
    [
        (TensorProto.INT64, TensorProto.FLOAT, 2**32),
        (TensorProto.UINT64, TensorProto.FLOAT, 2**32),
        (TensorProto.UINT32, TensorProto.INT64, 2**31),
        (TensorProto.INT64, TensorProto.INT32, 10**8),  # which the source itself counts in
        (TensorProto.INT32, TensorProto.INT64, 10**8),
    ],
)
def test_numbers_leave_the_bits_that_a_target_may_count_in(kind: int, to: int, past: int, tmp_path: Path) -> None:
    """A uint64 was added in 32 bits by Keras, and nobody saw it: no number past them had been tried."""
    taken = ranges([inner("Add", "s", "x", "x"), node("Cast", "s", to=to)], kind, tmp_path)
    assert taken is not None and taken.far is not None
    largest = int(integers(np.random.default_rng(0), (64,), 5, taken).max())
    assert past < largest <= np.iinfo(helper.tensor_dtype_to_np_dtype(kind)).max


def test_of_64_bits_without_a_sign_the_first_is_tried(tmp_path: Path) -> None:
    taken = ranges([node("Max", "x", "x")], TensorProto.UINT64, tmp_path)
    spec = TensorSpec("x", (None, 64), "uint64")
    fitting = _fitting(taken or IntegerRange(0, 2), spec)
    assert fitting is not None and fitting.low == 0
    made = generate(Signature((spec,), ()), 8, 0, {}, {"x": fitting}).chunk(0, 8)["x"]
    assert made.dtype == np.uint64 and made.max() > 2**63


def test_indices_of_which_nothing_is_known_are_tried_up_to_the_rows_of_the_smallest_table(tmp_path: Path) -> None:
    """A sum over bags of words is a loop; a number alone may say how often, and stays small."""
    picked = [inner("NonZero", "k", "x"), node("Gather", "wide", "k")]
    assert [taken and (taken.low, taken.high) for taken in (ranges(picked, TensorProto.INT64, tmp_path, dims) for dims in (
        ["n", 5], ["n"], []))] == [(0, 40), (0, 10), (0, 10)]  # fmt: skip


@pytest.mark.parametrize("kind", ["GatherND", "ScatterND", "ScatterElements"])
def test_places_within_what_is_computed_are_those_of_its_axes(kind: str, tmp_path: Path) -> None:
    more = [] if kind == "GatherND" else ["three"]
    taken = ranges([inner("Identity", "t", "wide"), node(kind, "t", "x", *more)], TensorProto.INT64, tmp_path, ["n", 1])
    assert taken is not None and (taken.low, taken.high) == (0, 40)


def test_a_real_input_has_a_range_only_where_it_indexes_a_table(tmp_path: Path) -> None:
    index = [inner("Cast", "i", "x", to=TensorProto.INT64), node("Gather", "table", "i")]
    taken = ranges(index, TensorProto.FLOAT, tmp_path)
    assert taken is not None and (taken.low, taken.high, taken.rows) == (0, 7, 7)
    assert ranges([node("Floor", "x")], TensorProto.FLOAT, tmp_path) is None


def ranges(
    nodes: list[onnx.NodeProto], code: int, folder: Path, dims: Sequence[int | str] = ("n",)
) -> IntegerRange | None:
    """Of the input x of a graph of nodes, as the worker tells them."""
    constants = {"table": np.zeros((7, 2), np.int64), "wide": np.zeros((40, 2), np.float32), **{name: np.array([value]) for name, value in (
        ("three", 3), ("minus", -1), ("hundred", 100), ("seven", 7))}}  # fmt: skip
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", code, dims)], [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(graph), folder / "m.onnx")
    (found,) = load_adapter(str(data_folder("adapters") / "onnx")).input_ranges(str(folder / "m.onnx"))
    return None if found is None else IntegerRange.from_json(found)
