"""Small ONNX models, and copies of them with one fault each that an inattentive verification does not see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray[Any, Any]
CODES = {
    "f": TensorProto.FLOAT,
    "i": TensorProto.INT64,
    "b": TensorProto.BOOL,
    "i32": TensorProto.INT32,
    "u32": TensorProto.UINT32,
}


@dataclass(frozen=True)
class Spoiled:
    """A source, a target that is not the same function, and one that is.

    Attributes:
        kind: of the fault.
        source, wrong, right: models with the same interface; `right` is written otherwise than the source.
        given: inputs of a user that do not show the fault; {} where there are none.
    """

    kind: str
    source: onnx.ModelProto
    wrong: onnx.ModelProto
    right: onnx.ModelProto
    given: Mapping[str, Array] = field(default_factory=dict)


def graph(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, tuple[str, Sequence[int | str]]],
    outputs: Sequence[str],
    constants: Mapping[str, Array],
    opset: int = 17,
    functions: Sequence[onnx.FunctionProto] = (),
) -> onnx.ModelProto:
    """A checked model; inputs are (code, shape), outputs are of the types that inference finds, and functions are of the domain `local`."""
    made = helper.make_model(
        helper.make_graph(
            list(nodes), "made",
            [helper.make_tensor_value_info(name, CODES[code], shape) for name, (code, shape) in inputs.items()],
            [helper.make_empty_tensor_value_info(name) for name in outputs],
            [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
        ),
        opset_imports=[helper.make_opsetid("", opset), *([helper.make_opsetid("local", 1)] if functions else [])],
        ir_version=9, functions=list(functions),
    )  # fmt: skip
    found = {value.name: value for value in onnx.shape_inference.infer_shapes(made).graph.output}
    for output in made.graph.output:
        output.CopyFrom(found[output.name])
    onnx.checker.check_model(made)
    return made


def node(kind: str, inputs: str, output: str, **attributes: Any) -> onnx.NodeProto:
    """A node; its inputs are names with spaces between, `-` for one that is left out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(kind, names, output.split(), f"{kind}_{output.split()[0]}", **attributes)


def with_constant(model: onnx.ModelProto, name: str, value: Array) -> onnx.ModelProto:
    """A copy in which one constant has another value."""
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    for tensor in copy.graph.initializer:
        if tensor.name == name:
            tensor.CopyFrom(numpy_helper.from_array(np.asarray(value), name))
    return copy


def said_otherwise(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same function: every output goes through an Identity, and constants are Constant nodes."""
    copy = onnx.ModelProto.FromString(model.SerializeToString())
    outputs = {value.name for value in copy.graph.output}
    for made in copy.graph.node:
        made.output[:] = [f"{name}_before" if name in outputs else name for name in made.output]
        made.input[:] = [f"{name}_before" if name in outputs else name for name in made.input]
    copy.graph.node.extend(helper.make_node("Identity", [f"{name}_before"], [name]) for name in sorted(outputs))
    return copy


def weights(*shape: int, seed: int = 0, scale: float = 1.0) -> Array:
    """Normal float32 numbers, smaller the more are summed."""
    random = np.random.default_rng(seed)
    return np.asarray(random.normal(size=shape) * scale / np.sqrt(max(1, shape[0])), dtype=np.float32)


def table_rows(rows: int = 500, first: int = 2, last: int | None = None, seed: int = 0) -> Spoiled:
    """Row `first` and all after it (up to `last`) of an embedding in another order."""
    table, head = weights(rows, 8, seed=seed, scale=rows**0.5), weights(8, 3, seed=seed + 1)
    source = graph(
        [node("Gather", "table ids", "rows"), node("ReduceMean", "rows", "mean", axes=[1], keepdims=0),
         node("MatMul", "mean head", "y")],
        {"ids": ("i", ["N", 6])}, ["y"], {"table": table, "head": head},
    )  # fmt: skip
    order = np.arange(rows)
    order[first:last] = np.roll(order[first:last], 1)
    given = {"ids": np.random.default_rng(seed).integers(0, first, size=(40, 6))}
    return Spoiled("table rows", source, with_constant(source, "table", table[order]), said_otherwise(source), given)


def floor_division(divisor: int = 4, offset: int = 8, seed: int = 0) -> Spoiled:
    """Ids floor-divided in front of an embedding; the target truncates, so that negative ids differ."""
    rows = 2 * offset
    constants = {"four": np.int64(divisor), "eight": np.int64(offset), "zero": np.int64(0), "one": np.int64(1),
                 "table": weights(rows, 5, seed=seed, scale=3.0)}  # fmt: skip
    tail = [node("Add", "q eight", "index"), node("Gather", "table index", "y")]
    floor = [node("Mod", "ids four", "rest"), node("Sub", "ids rest", "whole"), node("Div", "whole four", "q")]
    inputs: Mapping[str, tuple[str, Sequence[int | str]]] = {"ids": ("i", ["N", 6])}
    source = graph([*floor, *tail], inputs, ["y"], constants)
    wrong = graph([node("Div", "ids four", "q"), *tail], inputs, ["y"], constants)
    given = {"ids": np.random.default_rng(seed).integers(0, divisor * offset, size=(40, 6))}
    return Spoiled("floor division", source, wrong, said_otherwise(source), given)


def hidden_rows(size: int = 6, seed: int = 0) -> Spoiled:
    """Attention with a boolean mask; where all keys of a query are hidden the source gives 0, and the target their mean."""

    def attention(zeroed: bool) -> onnx.ModelProto:
        nodes = [node("MatMul", "x wq", "q"), node("MatMul", "x wk", "k"), node("Transpose", "k", "kt", perm=[0, 2, 1]),
                 node("MatMul", "q kt", "scores"), node("Where", "mask scores low", "masked"),
                 node("Softmax", "masked", "share", axis=-1)]  # fmt: skip
        if zeroed:
            nodes += [node("Cast", "mask", "seen", to=TensorProto.FLOAT),
                      node("ReduceMax", "seen", "any", axes=[2], keepdims=1), node("Mul", "share any", "kept")]  # fmt: skip
        nodes.append(node("MatMul", f"{'kept' if zeroed else 'share'} x", "y"))
        return graph(
            nodes, {"x": ("f", ["N", size, 4]), "mask": ("b", ["N", size, size])}, ["y"],
            {"wq": weights(4, 4, seed=seed), "wk": weights(4, 4, seed=seed + 1), "low": np.float32(-1e9)},
        )  # fmt: skip

    source = attention(True)
    random = np.random.default_rng(seed)
    given = {
        "x": random.normal(size=(40, size, 4)).astype("f4"),
        "mask": np.tri(size, dtype=bool)[None].repeat(40, axis=0),
    }
    return Spoiled("mask", source, attention(False), said_otherwise(source), given)


def tiny_outputs(scale: float = 1e-7, off: float = 1.08, seed: int = 0) -> Spoiled:
    """Outputs around 1e-7, those of the target 8 % larger."""
    head = weights(6, 3, seed=seed, scale=scale)
    source = graph([node("MatMul", "x head", "s"), node("Mul", "s one", "y")], {"x": ("f", ["N", 6])}, ["y"],
                   {"head": head, "one": np.float32(1)})  # fmt: skip
    given = {"x": np.random.default_rng(seed).normal(size=(40, 6)).astype("f4")}
    return Spoiled("tiny outputs", source, with_constant(source, "one", np.float32(off)), said_otherwise(source), given)


def saturated(fault: str, seed: int = 0) -> Spoiled:
    """An image classifier whose given images all have label 0 above 0.9999; `relu6` or `padding` is another in the target.

    The bias of the last layer is what saturates it, so that the fault moves the logits and no given image's score.
    """

    def net(upper: bool, pads: list[int]) -> onnx.ModelProto:
        clip = node("Clip", "c low high", "a") if upper else node("Clip", "c low", "a")
        nodes = [node("Conv", "x w b", "c", kernel_shape=[3, 3], strides=[2, 2], pads=pads), clip,
                 node("GlobalAveragePool", "a", "p"), node("Flatten", "p", "f"), node("Gemm", "f head bias", "logits"),
                 node("Softmax", "logits", "y", axis=1)]  # fmt: skip
        return graph(
            nodes, {"x": ("f", ["N", 3, 10, 10])}, ["y"],
            {"w": weights(6, 3, 3, 3, seed=seed, scale=6.0), "b": weights(6, seed=seed + 1), "low": np.float32(0),
             "high": np.float32(6), "head": weights(6, 4, seed=seed + 2), "bias": np.float32([30, 0, 0, 0])},
        )  # fmt: skip

    source = net(True, [0, 0, 1, 1])
    wrong = net(False, [0, 0, 1, 1]) if fault == "relu6" else net(True, [1, 1, 0, 0])
    given = {"x": np.random.default_rng(seed).normal(size=(60, 3, 10, 10)).astype("f4")}
    return Spoiled(f"saturated {fault}", source, wrong, said_otherwise(source), given)


def mixing(seed: int = 0) -> Spoiled:
    """The target doubles its outputs where a call holds fewer than three samples."""
    constants = {"head": weights(6, 3, seed=seed), "first": np.array([0]), "three": np.array([3]), "one": np.float32(1),
                 "two": np.float32(2)}  # fmt: skip
    inputs: Mapping[str, tuple[str, Sequence[int | str]]] = {"x": ("f", ["N", 6])}
    source = graph([node("MatMul", "x head", "y")], inputs, ["y"], {"head": constants["head"]})
    wrong = graph(
        [node("MatMul", "x head", "s"), node("Shape", "x", "sizes"), node("Gather", "sizes first", "count", axis=0),
         node("Less", "count three", "few"), node("Where", "few two one", "factor"), node("Mul", "s factor", "y")],
        inputs, ["y"], constants,
    )  # fmt: skip
    given = {"x": np.random.default_rng(seed).normal(size=(40, 6)).astype("f4")}
    return Spoiled("mixes samples", source, wrong, said_otherwise(source), given)


def centred(seed: int = 0) -> Spoiled:
    """A source that takes the mean of a call's samples off; the target takes one of the first sample's features off."""
    head = weights(6, 3, seed=seed)
    source = graph([node("ReduceMean", "x", "m", axes=[0], keepdims=1), node("Sub", "x m", "c"), node("MatMul", "c head", "y")],
                   {"x": ("f", ["N", 6])}, ["y"], {"head": head})  # fmt: skip
    wrong = graph([node("MatMul", "x head", "y")], {"x": ("f", ["N", 6])}, ["y"], {"head": head})
    given = {"x": np.random.default_rng(seed).normal(size=(40, 6)).astype("f4")}
    return Spoiled("mean over samples", source, wrong, said_otherwise(source), given)


def branch(seed: int = 0) -> Spoiled:
    """Inputs of a mean below -1.5 take another branch, which is another in the target."""

    def net(good: bool) -> onnx.ModelProto:
        def body(name: str, factor: float) -> onnx.GraphProto:
            made = helper.make_node("Mul", ["x", f"{name}_f"], [f"{name}_y"], name)
            constant = helper.make_tensor(f"{name}_f", TensorProto.FLOAT, [], [factor])
            value = helper.make_tensor_value_info(f"{name}_y", TensorProto.FLOAT, [1, 8])
            return helper.make_graph([made], name, [], [value], [constant])

        choose = helper.make_node(
            "If",
            ["c"],
            ["s"],
            "choice",
            then_branch=body("then", 1.0),
            else_branch=body("otherwise", 0.1 if good else 0.2),
        )
        nodes = [
            node("ReduceMean", "x", "m", keepdims=0),
            node("Greater", "m low", "c"),
            choose,
            node("MatMul", "s head", "y"),
        ]
        return graph(nodes, {"x": ("f", [1, 8])}, ["y"], {"low": np.float32(-1.5), "head": weights(8, 5, seed=seed)})

    given = {"x": np.random.default_rng(seed).uniform(0.2, 0.8, size=(40, 8)).astype("f4")}
    return Spoiled("branch", net(True), net(False), said_otherwise(net(True)), given)


def behind_softmax(seed: int = 0) -> Spoiled:
    """One label far above the others on every input; the target puts it twice as far, which no score shows."""
    head = weights(6, 3, seed=seed, scale=0.3)
    source = graph([node("MatMul", "x head", "l"), node("Add", "l bias", "logits"), node("Softmax", "logits", "y", axis=1)],
                   {"x": ("f", ["N", 6])}, ["y"], {"head": head, "bias": np.float32([500, 0, 0])})  # fmt: skip
    wrong = with_constant(source, "bias", np.float32([1000, 0, 0]))
    given = {"x": np.random.default_rng(seed).normal(size=(40, 6)).astype("f4")}
    return Spoiled("behind a softmax", source, wrong, said_otherwise(source), given)


def far_side(threshold: float = 1e7, seed: int = 0) -> Spoiled:
    """Numbers above a threshold that noise never passes are halved, and quartered by the target."""
    constants = {"far": np.float32(threshold), "factor": np.float32(0.5), "head": weights(6, 3, seed=seed)}
    source = graph(
        [node("Greater", "x far", "c"), node("Mul", "x factor", "less"), node("Where", "c less x", "s"), node("MatMul", "s head", "y")],
        {"x": ("f", ["N", 6])}, ["y"], constants,
    )  # fmt: skip
    wrong = with_constant(source, "factor", np.float32(0.25))
    return Spoiled("far side", source, wrong, said_otherwise(source), {"x": weights(40, 6, seed=seed, scale=6.0)})


def no_numbers(seed: int = 0) -> Spoiled:
    """NaN counts as 0 in the source, and as 1 in the target."""
    constants = {"zero": np.float32(0), "head": weights(6, 3, seed=seed)}
    source = graph([node("IsNaN", "x", "c"), node("Where", "c zero x", "s"), node("MatMul", "s head", "y")],
                   {"x": ("f", ["N", 6])}, ["y"], constants)  # fmt: skip
    wrong = with_constant(source, "zero", np.float32(1))
    return Spoiled("no numbers", source, wrong, said_otherwise(source), {"x": weights(40, 6, seed=seed, scale=6.0)})


def counts(wrong: Sequence[onnx.NodeProto], behind: Sequence[onnx.NodeProto], **constants: Array) -> Spoiled:
    """Counts cast to real numbers `f`, and in the target to something narrower first; `behind` makes `g` of them."""

    def net(front: Sequence[onnx.NodeProto]) -> onnx.ModelProto:
        return graph([*front, *behind, node("MatMul", "g head", "y")], {"ids": ("i", ["N", 1, 6])}, ["y"],
                     {"head": weights(6, 3, scale=0.1), **constants})  # fmt: skip

    source = net([node("Cast", "ids", "f", to=TensorProto.FLOAT)])
    target = net([*wrong, node("Cast", "narrow", "f", to=TensorProto.FLOAT)])
    given = {"ids": np.random.default_rng(0).integers(0, 2, size=(64, 1, 6))}
    return Spoiled("counts", source, target, said_otherwise(source), given)


def narrow_counts(kind: int = TensorProto.INT16) -> Spoiled:
    return counts([node("Cast", "ids", "narrow", to=kind)], [node("Identity", "f", "g")])


def counts_of_a_convolution() -> Spoiled:
    behind = [node("Conv", "f filter", "g", pads=[1, 1])]
    return counts([node("Cast", "ids", "narrow", to=TensorProto.BOOL)], behind, filter=weights(1, 1, 3))


def counts_of_a_logarithm() -> Spoiled:
    """Of one more: no number for what lies below."""
    behind = [node("Add", "f one", "more"), node("Log", "more", "g")]
    return counts([node("Cast", "ids", "narrow", to=TensorProto.BOOL)], behind, one=np.float32(1))


def large_numbers() -> Spoiled:
    """Whole numbers plus one, in the target by way of float32, which does not hold all of them."""

    def net(front: Sequence[onnx.NodeProto]) -> onnx.ModelProto:
        return graph([*front, node("Add", "whole one", "y")], {"ids": ("i", ["N", 6])}, ["y"], {"one": np.int64(1)})

    source = net([node("Identity", "ids", "whole")])
    wrong = net([node("Cast", "ids", "f", to=TensorProto.FLOAT), node("Cast", "f", "whole", to=TensorProto.INT64)])
    given = {"ids": np.random.default_rng(0).integers(0, 9, size=(64, 6))}
    return Spoiled("large numbers", source, wrong, said_otherwise(source), given)


def mean_of_nothing() -> Spoiled:
    """A mean of what a mask of whole numbers leaves, by one at least; the target divides by nothing where it leaves nothing."""

    def net(guarded: bool) -> onnx.ModelProto:
        count = node("Max", "all one", "count") if guarded else node("Identity", "all", "count")
        nodes = [node("Cast", "mask", "m", to=TensorProto.FLOAT), node("ReduceSum", "m rows", "all"), count,
                 node("Unsqueeze", "m columns", "wide"), node("Mul", "x wide", "kept"),
                 node("ReduceSum", "kept rows", "sum", keepdims=0), node("Div", "sum count", "y")]  # fmt: skip
        constants = {"rows": np.array([1]), "columns": np.array([2])} | ({"one": np.float32(1)} if guarded else {})
        return graph(nodes, {"x": ("f", ["N", 5, 6]), "mask": ("i", ["N", 5])}, ["y"], constants)

    random = np.random.default_rng(0)
    given = {"x": random.normal(size=(40, 5, 6)).astype("f4"), "mask": np.ones((40, 5), np.int64)}
    return Spoiled("mean of nothing", net(True), net(False), said_otherwise(net(True)), given)
