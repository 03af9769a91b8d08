"""A part of a graph computes what it computes within the graph, takes what comes in at its beginning, and says what is left out."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from safeconvert.errors import UnusableInput
from safeconvert.graph.cut import behind_strings, cut_graph
from tests.onnx_models import model, random, run


def net() -> onnx.ModelProto:
    """A convolution, its ReLU, and a sum of that with a second input."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("Add", ["r", "beside"], ["s"], "sum"),
        helper.make_node("GlobalAveragePool", ["s"], ["m"], "pool"),
        helper.make_node("Flatten", ["m"], ["y"], "flat"),
    ]
    return model(nodes, {"x": ["N", 3, 4, 4], "beside": ["N", 2, 4, 4]}, ["y"], {"w": random(2, 3, 3, 3)})


def names(values: object) -> list[str]:
    return [value.name for value in values]  # type: ignore[attr-defined]


def test_a_node_is_in_the_part_at_either_end() -> None:
    part, remainder = cut_graph(net(), ["relu"], ["pool"])
    assert [node.name for node in part.graph.node] == ["relu", "sum", "pool"]
    assert (names(part.graph.input), names(part.graph.output)) == (["c", "beside"], ["m"])
    assert (remainder.before, remainder.behind, remainder.inputs) == (("conv (Conv)",), ("flat (Flatten)",), ("c",))


def test_a_tensor_is_where_the_cut_is() -> None:
    part, _ = cut_graph(net(), ["r"], ["s"])
    assert [node.name for node in part.graph.node] == ["sum"]
    assert (names(part.graph.input), names(part.graph.output)) == (["r", "beside"], ["s"])


@pytest.mark.parametrize(
    ("begin", "end"), [((), ()), (("conv",), ()), (("relu",), ("pool",)), ((), ("relu",)), (("s",), ())]
)
def test_the_part_computes_what_it_does_within_the_graph(begin: tuple[str, ...], end: tuple[str, ...]) -> None:
    whole = net()
    part, _ = cut_graph(whole, begin, end)
    onnx.checker.check_model(part)
    ends = [*names(part.graph.input), *names(part.graph.output)]
    shown = onnx.ModelProto()
    shown.CopyFrom(whole)
    known = {value.name for value in (*whole.graph.input, *whole.graph.output)}
    shown.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in ends if name not in known)
    feeds = {"x": random(3, 3, 4, 4, seed=1), "beside": random(3, 2, 4, 4, seed=2)}
    values = feeds | dict(zip(names(shown.graph.output), run(shown, feeds), strict=True))
    given = run(part, {name: values[name] for name in names(part.graph.input)})
    for name, array in zip(names(part.graph.output), given, strict=True):
        np.testing.assert_array_equal(array, values[name])


def test_what_a_body_reads_from_outside_is_in_the_part() -> None:
    then, other = (
        helper.make_graph(
            [helper.make_node(kind, ["r"], [f"{kind}_out"])],
            kind,
            [],
            [helper.make_empty_tensor_value_info(f"{kind}_out")],
        )
        for kind in ("Neg", "Abs")
    )
    nodes = [
        helper.make_node("Relu", ["x"], ["r"], "relu"),
        helper.make_node("ReduceSum", ["x"], ["sum"], "sum", keepdims=0),
        helper.make_node("Greater", ["sum", "zero"], ["positive"], "positive"),
        helper.make_node("If", ["positive"], ["y"], "branch", then_branch=then, else_branch=other),
    ]  # fmt: skip
    made = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", 1, [2, 3])], [helper.make_tensor_value_info("y", 1, [2, 3])],
        [onnx.numpy_helper.from_array(np.float32(0), "zero")],
    )  # fmt: skip
    whole = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    part, _ = cut_graph(whole, ["branch"], [])
    assert names(part.graph.input) == ["positive", "r"]


@pytest.mark.parametrize(
    ("begin", "end", "words", "advice"),
    [
        (["rel"], [], "no node or tensor of the graph has this name", "relu"),
        (["flat"], ["relu"], "no output of the part depends", "in front of the outputs"),
        (["m"], ["m"], "no output of the part depends", "in front"),
    ],
)
def test_a_cut_that_makes_no_sense_is_refused(begin: list[str], end: list[str], words: str, advice: str) -> None:
    with pytest.raises(UnusableInput, match=words) as refused:
        cut_graph(net(), begin, end)
    assert advice in refused.value.advice


def test_the_numbers_behind_strings_are_found() -> None:
    nodes = [
        helper.make_node("StringNormalizer", ["words"], ["low"], "lower", case_change_action="LOWER"),
        helper.make_node(
            "LabelEncoder", ["low"], ["ids"], "look", domain="ai.onnx.ml", keys_strings=["a"], values_int64s=[1]
        ),
        helper.make_node("Cast", ["ids"], ["y"], "cast", to=1),
    ]
    ends = [
        helper.make_tensor_value_info("words", onnx.TensorProto.STRING, [4]),
        helper.make_tensor_value_info("y", 1, [4]),
    ]
    made = helper.make_model(
        helper.make_graph(nodes, "g", ends[:1], ends[1:]),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)], ir_version=9,
    )  # fmt: skip
    assert behind_strings(made) == (["lower (StringNormalizer)", "look (LabelEncoder)"], ["ids"])
