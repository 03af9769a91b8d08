"""Every rewrite keeps the function, does what it says, and leaves the rest alone."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import helper

from safeconvert.graph.boundary_transposes import peel_input_transposes
from safeconvert.graph.fold import fold_constants
from safeconvert.graph.view import tidy
from tests.onnx_models import cnn, model, random, run
from tests.rewrite.rules.rule import rule

I = np.array  # noqa: E741


def node(kind: str, inputs: list[str], output: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [output], f"{kind}_{output}", **attributes)


def batch_reshape() -> onnx.ModelProto:
    nodes = [
        node("Shape", ["x"], "s"), node("Gather", ["s", "zero"], "n", axis=0), node("Unsqueeze", ["n", "zeros"], "n1"),
        node("Concat", ["n1", "rest"], "shape", axis=0), node("Reshape", ["x", "shape"], "y"),
    ]  # fmt: skip
    return model(nodes, {"x": ["N", 3, 4, 4]}, ["y"], {"zero": I(0), "zeros": I([0]), "rest": I([48])})


CASES = {
    "constants are folded": (
        fold_constants,
        model([node("Add", ["a", "a"], "b"), node("Mul", ["x", "b"], "y")], {"x": [2, 3]}, ["y"], {"a": random(3)}),
        {"Add"},
    ),
    "a reshape that carries the batch along": (rule("static_batch_reshapes"), batch_reshape(), {"Shape", "Concat", "Gather"}),
    "a reshape whose sizes go through casts": (
        rule("static_batch_reshapes"),
        model(
            [
                node("Relu", ["x"], "r"), node("Transpose", ["r"], "t", perm=[0, 2, 3, 1]), node("Shape", ["r"], "s"),
                node("Gather", ["s", "order"], "g", axis=0), node("Cast", ["g"], "c", to=6),
                node("Slice", ["c", "zero", "one", "zero"], "n"), node("Concat", ["n", "rest"], "a", axis=0),
                node("Cast", ["a"], "shape", to=7), node("Reshape", ["t", "shape"], "y"),
            ],
            {"x": ["N", 3, 4, 4]}, ["y"],
            {"order": I([0, 2, 3, 1]), "zero": I([0]), "one": I([1]), "rest": I([48]).astype(np.int32)},
        ),
        {"Shape", "Concat", "Gather", "Cast"},
    ),
    "a pad in front of a transpose": (
        rule("transposes_before_pads"),
        model(
            [node("Pad", ["x", "pads"], "p"), node("Transpose", ["p"], "t", perm=[0, 3, 1, 2]), node("Relu", ["t"], "y")],
            {"x": [2, 4, 5, 3]}, ["y"], {"pads": I([0, 1, 0, 0, 0, 2, 3, 0])},
        ),
        set(),
    ),
    "one channel taken": (
        rule("gathers_as_slices"),
        model(
            [
                node("Gather", ["x", "second"], "g", axis=1), node("Unsqueeze", ["g", "axis"], "u"),
                node("Gather", ["x", "two"], "p", axis=1), node("Add", ["u", "p"], "y"),
            ],
            {"x": [2, 3, 4, 4]}, ["y"], {"second": I(1), "axis": I([1]), "two": I([2, 0])},
        ),
        {"Gather", "Unsqueeze", "Squeeze"},
    ),
    "a channel taken for good": (
        rule("gathers_as_slices"),
        model([node("Gather", ["x", "second"], "y", axis=1)], {"x": [2, 3, 4, 4]}, ["y"], {"second": I(1)}),
        {"Gather"},
    ),
    "reshapes in a row": (
        rule("collapse_reshapes"),
        model(
            [node("Squeeze", ["x", "axes"], "a"), node("Unsqueeze", ["a", "front"], "b"), node("Reshape", ["b", "s"], "y")],
            {"x": [2, 3, 1, 1]}, ["y"], {"axes": I([2, 3]), "front": I([1, 2]), "s": I([-1, 3])},
        ),
        {"Squeeze", "Unsqueeze"},
    ),
    "a pooled tensor is flattened": (
        rule("flatten_pooled"),
        model([node("GlobalAveragePool", ["x"], "p"), node("Squeeze", ["p", "axes"], "y")], {"x": [2, 3, 4, 4]}, ["y"],
              {"axes": I([2, 3])}),
        {"Squeeze"},
    ),
    "a flattened batch": (
        rule("flatten_as_reshape"),
        model([node("Relu", ["x"], "r"), node("Flatten", ["r"], "y", axis=1)], {"x": ["n", 3, 4, 5]}, ["y"]),
        {"Flatten"},
    ),
    "slices with steps": (
        rule("strided_slices_as_pooling"),
        model([node("Slice", ["x", "starts", "ends", "axes", "steps"], "y")], {"x": [2, 3, 6, 7]}, ["y"],
              {"starts": I([0, 0]), "ends": I([6, 99]), "axes": I([2, 3]), "steps": I([2, 3])}),
        {"Slice"},
    ),
    "padded channels": (
        rule("channel_pads_as_concat"),
        model([node("Pad", ["x", "pads"], "y")], {"x": [2, 3, 4, 4]}, ["y"], {"pads": I([0, 2, 0, 0, 0, 1, 0, 0])}),
        {"Pad"},
    ),
    "a value for each channel": (
        rule("channel_constants_as_batchnorm"),
        model([node("Mul", ["x", "c"], "a"), node("Add", ["c", "a"], "b"), node("Sub", ["b", "c"], "y")],
              {"x": [2, 3, 4, 4]}, ["y"], {"c": random(1, 3, 1, 1)}),
        {"Mul", "Add", "Sub"},
    ),
    "constants and identities": (
        rule("constants_folded"),
        model([helper.make_node("Constant", [], ["c"], "k", value=onnx.numpy_helper.from_array(random(3))),
               node("Identity", ["x"], "i"), node("Add", ["i", "c"], "y")], {"x": [2, 3]}, ["y"]),
        {"Constant"},
    ),
    "a whole net": (rule("constants_folded"), cnn(), set()),
    "a whole net with its defaults": (rule("explicit_defaults"), cnn(), set()),
    "a whole net, tidied": (lambda made: tidy(made).model, cnn(), set()),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_function_is_kept_and_the_operator_gone(name: str) -> None:
    rewrite, made, gone = CASES[name]
    shape = [size.dim_value or 2 for size in made.graph.input[0].type.tensor_type.shape.dim]
    feeds = {"x": random(*shape, seed=1)}
    before = run(made, feeds)
    copy = onnx.ModelProto.FromString(made.SerializeToString())
    after = rewrite(copy)
    onnx.checker.check_model(after)
    for one, two in zip(before, run(after, feeds), strict=True):
        np.testing.assert_allclose(two, one, rtol=1e-5, atol=1e-6)
    assert gone.isdisjoint(other.op_type for other in after.graph.node)


def test_slices_and_pads_that_the_rules_do_not_hold_for_stay() -> None:
    shifted = model([node("Slice", ["x", "starts", "ends", "axes", "steps"], "y")], {"x": [2, 3, 6, 6]}, ["y"],
                    {"starts": I([1]), "ends": I([6]), "axes": I([2]), "steps": I([2])})  # fmt: skip
    assert rule("strided_slices_as_pooling")(shifted).graph.node[0].op_type == "Slice"
    filled = model([node("Pad", ["x", "pads", "fill"], "y")], {"x": [2, 3, 4, 4]}, ["y"],
                   {"pads": I([0, 2, 0, 0, 0, 1, 0, 0]), "fill": np.float32(3)})  # fmt: skip
    assert rule("channel_pads_as_concat")(filled).graph.node[0].op_type == "Pad"


def test_names_become_ones_that_every_framework_takes() -> None:
    made = model([helper.make_node("Relu", ["a/b:0"], ["y;z"], "n m")], {"a/b:0": [2]}, ["y;z"])
    named = rule("safe_names")(made)
    names = [*named.graph.node[0].input, *named.graph.node[0].output, named.graph.node[0].name]
    assert all(name.replace("_", "").isalnum() for name in names) and len(set(names)) == 3
    np.testing.assert_array_equal(run(named, {names[0]: random(2)})[0], np.maximum(random(2), 0))


def test_an_input_transpose_is_peeled_and_the_input_says_so() -> None:
    made = model([node("Transpose", ["x"], "t", perm=[0, 3, 1, 2]), node("Conv", ["t", "w"], "y")],
                 {"x": ["N", 8, 8, 3]}, ["y"], {"w": random(4, 3, 3, 3)})  # fmt: skip
    x = random(2, 8, 8, 3)
    (before,) = run(made, {"x": x})
    peeled, which = peel_input_transposes(onnx.ModelProto.FromString(made.SerializeToString()))
    assert which == {"x": True}
    np.testing.assert_allclose(run(peeled, {"x": x.transpose(0, 3, 1, 2)})[0], before, rtol=1e-6)
