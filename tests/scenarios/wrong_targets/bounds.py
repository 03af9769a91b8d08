"""Small ONNX models, and copies that bound, count or choose otherwise where noise about zero does not come: a source, a wrong and a right target each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from tests.scenarios.wrong_targets.pairs import Array, graph, node, said_otherwise, weights, with_constant

Three = tuple[onnx.ModelProto, onnx.ModelProto, onnx.ModelProto]
Inputs = Mapping[str, tuple[str, Sequence[int | str]]]
X: Inputs = {"x": ("f", ["N", 6])}
IDS: Inputs = {"ids": ("i", ["N", 5])}


def _behind(
    front: Sequence[onnx.NodeProto], constants: Mapping[str, Array], inputs: Inputs = X, opset: int = 17
) -> onnx.ModelProto:
    """A product with a matrix of what `front` gives as `g`, (N, 6)."""
    nodes = [*front, node("MatMul", "g head", "y")]
    return graph(nodes, inputs, ["y"], {"head": weights(6, 3), **constants}, opset)


def _three(source: onnx.ModelProto, wrong: onnx.ModelProto) -> Three:
    return source, wrong, said_otherwise(source)


def bound_of_a_channel() -> Three:
    """One channel of sixteen is bounded by 1e6, and by 100 in the source."""
    upper = np.full(16, 100, np.float32)
    source = graph([node("MatMul", "x w", "h"), node("Min", "h upper", "r"), node("MatMul", "r v", "y")], X, ["y"],
                   {"w": weights(6, 16), "v": weights(16, 3, seed=2), "upper": upper})  # fmt: skip
    other = upper.copy()
    other[3] = 1e6
    return _three(source, with_constant(source, "upper", other))


def bound_of_a_scaled_input() -> Three:
    """The target alone bounds what is computed of numbers above 300."""
    constants = {"scale": np.float32(0.01), "most": np.float32(3)}
    source = _behind([node("Mul", "x scale", "g")], constants | {"most": np.float32(0)})
    return _three(source, _behind([node("Mul", "x scale", "s"), node("Min", "s most", "g")], constants))


def integers_of_16_bits() -> Three:
    front, back = node("Cast", "x", "k", to=TensorProto.INT32), node("Cast", "n", "g", to=TensorProto.FLOAT)
    source = _behind([front, node("Identity", "k", "n"), back], {})
    return _three(source, _behind([front, node("Cast", "k", "n", to=TensorProto.INT16), back], {}))


def bound_in_a_function() -> Three:
    def net(most: float) -> onnx.ModelProto:
        inner = [
            helper.make_node("Constant", [], ["most"], value_float=most),
            helper.make_node("Min", ["a", "most"], ["b"]),
        ]
        bounded = helper.make_function("local", "Bounded", ["a"], ["b"], inner, [helper.make_opsetid("", 17)])
        nodes = [
            node("MatMul", "x w", "a"),
            helper.make_node("Bounded", ["a"], ["b"], "f", domain="local"),
            node("MatMul", "b v", "y"),
        ]
        constants = {"w": weights(6, 16), "v": weights(16, 3, seed=1)}
        return graph(nodes, X, ["y"], constants, functions=[bounded])

    return _three(net(600.0), net(800.0))


def bound_in_a_loop() -> Three:
    def net(most: float) -> onnx.ModelProto:
        nodes = [helper.make_node("MatMul", ["s", "w"], ["m"]), helper.make_node("Min", ["m", "most"], ["out"]),
                 helper.make_node("Identity", ["go"], ["on"])]  # fmt: skip
        state = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 6]) for name in ("s", "out")]
        flags = [helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in ("go", "on")]
        step = helper.make_tensor_value_info("step", TensorProto.INT64, [])
        body = helper.make_graph(nodes, "body", [step, flags[0], state[0]], [flags[1], state[1]],
                                 [numpy_helper.from_array(np.float32(most), "most")])  # fmt: skip
        loop = helper.make_node("Loop", ["steps", "yes", "x"], ["e"], "loop", body=body)
        constants = {
            "w": weights(6, 6),
            "yes": np.array(True),
            "v": weights(6, 3),
            "steps": np.int64(3),
            "flat": np.array([-1, 6]),
        }
        return graph([loop, node("Reshape", "e flat", "r"), node("MatMul", "r v", "y")], X, ["y"], constants)

    return _three(net(90.0), net(130.0))


def truth_at_a_bound() -> Three:
    """Places of numbers above one, and in the target of one too."""
    constants = {"one": np.float32(1)}
    found = [
        graph([node(kind, "x one", "c"), node("NonZero", "c", "y")], {"x": ("f", [3, 4])}, ["y"], constants)
        for kind in ("Greater", "GreaterOrEqual")
    ]
    return _three(found[0], found[1])


def seconds_in_float32() -> Three:
    """What is left of a time in seconds, of which float32 holds every 128th."""
    inputs: Inputs = {"ids": ("i", ["N", 2])}
    tail = [node("Tanh", "f", "t"), node("MatMul", "t head", "y")]
    start, head = 1_700_000_000, {"head": weights(2, 3)}
    source = graph([node("Sub", "ids start", "d"), node("Cast", "d", "f", to=TensorProto.FLOAT), *tail], inputs, ["y"],
                   {"start": np.int64(start), **head})  # fmt: skip
    wrong = graph([node("Cast", "ids", "r", to=TensorProto.FLOAT), node("Sub", "r start", "f"), *tail], inputs, ["y"],
                  {"start": np.float32(start), **head})  # fmt: skip
    return _three(source, wrong)


def squares_of_counts() -> Three:
    """The target counts to 500."""

    def net(front: Sequence[onnx.NodeProto], **constants: Array) -> onnx.ModelProto:
        nodes = [
            *front,
            node("Cast", "n", "f", to=TensorProto.FLOAT),
            node("Mul", "f f", "q"),
            node("MatMul", "q head", "y"),
        ]
        return graph(nodes, IDS, ["y"], {"head": weights(5, 3, scale=0.01), **constants})

    bounds = {"low": np.int64(-500), "high": np.int64(500)}
    return _three(net([node("Identity", "ids", "n")]), net([node("Clip", "ids low high", "n")], **bounds))


def _hashed(narrow: int) -> onnx.ModelProto:
    kind = np.int32 if narrow == TensorProto.INT32 else np.int64
    nodes = [
        node("Cast", "ids", "n", to=narrow),
        node("Mul", "n n", "q"),
        node("Mod", "q rows", "r"),
        node("Gather", "table r", "y"),
    ]
    return graph(nodes, IDS, ["y"], {"rows": kind(1000), "table": weights(1000, 4, scale=30.0)})


def squares_in_32_bits() -> Three:
    """Rows by the square of a number, which does not fit 32 bits where the number does."""
    return _three(_hashed(TensorProto.INT64), _hashed(TensorProto.INT32))


def bits_for_a_rest() -> Three:
    """The last three bits of a number, and the rest of a division by eight, which has the number's sign."""
    tail = [node("Cast", "r", "f", to=TensorProto.FLOAT), node("MatMul", "f head", "y")]
    head = {"head": weights(5, 3)}
    source = graph([node("BitwiseAnd", "ids seven", "r"), *tail], IDS, ["y"], {"seven": np.int64(7), **head}, 18)
    wrong = graph([node("Mod", "ids eight", "r", fmod=1), *tail], IDS, ["y"], {"eight": np.int64(8), **head}, 18)
    return _three(source, wrong)


def bits_of_a_byte() -> Three:
    inputs: Inputs = {"ids": ("u32", ["N", 5])}
    ends = [node("BitShift", "n three", "r", direction="RIGHT"), node("Cast", "r", "y", to=TensorProto.FLOAT)]
    found = [
        graph([node("Cast", "ids", "b", to=kind), node("Cast", "b", "n", to=TensorProto.UINT32), *ends], inputs, ["y"],
              {"three": np.uint32(3)})
        for kind in (TensorProto.UINT32, TensorProto.UINT8)
    ]  # fmt: skip
    return _three(found[0], found[1])


def places_of_a_row() -> Three:
    """Numbers put into a row of twelve, in the target into its first nine places."""
    inputs: Inputs = {"x": ("f", ["N", 12]), "ids": ("i", ["N", 3]), "u": ("f", ["N", 3])}
    source = graph([node("ScatterElements", "x ids u", "y", axis=1)], inputs, ["y"], {})
    wrong = graph(
        [node("Min", "ids most", "k"), node("ScatterElements", "x k u", "y", axis=1)],
        inputs,
        ["y"],
        {"most": np.int64(8)},
    )
    return _three(source, wrong)


def rows_by_two_numbers() -> Three:
    inputs: Inputs = {"ids": ("i", ["N", 2])}
    table = {"table": weights(50, 40, 3, scale=7.0)}
    source = graph([node("GatherND", "table ids", "y")], inputs, ["y"], table)
    wrong = graph(
        [node("Min", "ids most", "k"), node("GatherND", "table k", "y")], inputs, ["y"], {"most": np.int64(20), **table}
    )
    return _three(source, wrong)


def _with_a_unit_asleep(bias: float, factor: float) -> onnx.ModelProto:
    shift, back = np.zeros(16, np.float32), weights(16, 3, seed=2)
    shift[7] = bias
    back[7] *= factor
    nodes = [node("Gemm", "x first zero", "a"), node("Relu", "a", "b"), node("Gemm", "b second shift", "h"), node("Relu", "h", "r"),
             node("MatMul", "r back", "y")]  # fmt: skip
    constants = {"first": weights(6, 12, seed=6), "zero": np.zeros(12, np.float32), "second": weights(12, 16)}
    return graph(nodes, X, ["y"], {**constants, "shift": shift, "back": back})


def weights_behind_a_sleeping_unit() -> Three:
    """A unit that noise never wakes; what is behind it is three times as large in the target."""
    return _three(_with_a_unit_asleep(-200, 1), _with_a_unit_asleep(-200, 3))


def shift_of_a_sleeping_unit() -> Three:
    return _three(_with_a_unit_asleep(-300, 1), _with_a_unit_asleep(-200, 1))


def boxes_behind_the_first() -> Three:
    """What a detector with a fixed batch of one finds: the target doubles all boxes but the first."""
    inputs: Inputs = {"boxes": ("f", [1, 12, 4]), "scores": ("f", [1, 1, 12])}
    constants = {"most": np.int64(8), "overlap": np.float32(0.5), "score": np.float32(-9), "two": np.int64(2),
                 "none": np.array([0]), "one": np.array([1]), "end": np.array([2**62]), "double": np.float32(2)}  # fmt: skip
    found = [node("NonMaxSuppression", "boxes scores most overlap score", "found"), node("Gather", "found two", "k", axis=1),
             node("Squeeze", "boxes none", "all"), node("Gather", "all k", "kept")]  # fmt: skip
    others = [node("Slice", "kept none one none", "a"), node("Slice", "kept one end none", "b"), node("Mul", "b double", "c"),
              node("Concat", "a c", "y", axis=0)]  # fmt: skip
    source = graph([*found, node("Identity", "kept", "y")], inputs, ["y"], constants)
    return _three(source, graph([*found, *others], inputs, ["y"], constants))


def rows_from_the_end() -> Three:
    """Numbers below zero count rows from a table's end, and are the first row in the target."""
    table = {"table": weights(30, 4, scale=5.0)}
    source = graph([node("Gather", "table ids", "y")], IDS, ["y"], table)
    nodes = [node("Max", "ids zero", "k"), node("Gather", "table k", "y")]
    return _three(source, graph(nodes, IDS, ["y"], {**table, "zero": np.int64(0)}))


def calls_of_zeros() -> Three:
    """What is added where all samples of a call are zero."""

    def net(alone: float) -> onnx.ModelProto:
        nodes = [node("Abs", "x", "sizes"), node("ReduceMax", "sizes", "most", keepdims=0), node("Equal", "most zero", "c"),
                 node("MatMul", "x head", "h"), node("Where", "c alone bias", "k"), node("Add", "h k", "y")]  # fmt: skip
        constants = {"zero": np.float32(0), "alone": np.float32(alone), "bias": np.float32([1, 2, 3])}
        return graph(nodes, X, ["y"], {"head": weights(6, 3), **constants})

    return _three(net(7), net(9))


def mask_of_another_depth() -> Three:
    """Scores that a mask hides are -3e38, and -1e4 in the target, which is as low as large scores are."""
    constants = {
        "wq": weights(4, 4),
        "wk": weights(4, 4, seed=1),
        "low": np.float32(-3e38),
        "seen": np.tri(5, dtype=bool),
    }
    nodes = [node("MatMul", "x wq", "q"), node("MatMul", "x wk", "k"), node("Transpose", "k", "t", perm=[0, 2, 1]),
             node("MatMul", "q t", "scores"), node("Where", "seen scores low", "masked"), node("Softmax", "masked", "s", axis=-1),
             node("MatMul", "s x", "y")]  # fmt: skip
    source = graph(nodes, {"x": ("f", ["N", 5, 4])}, ["y"], constants)
    return _three(source, with_constant(source, "low", np.float32(-1e4)))


def rows_behind_a_bound() -> Three:
    """Samples behind the hundredth are zero in the target."""
    cut = {"none": np.array([0]), "most": np.array([100]), "end": np.array([2**62])}
    nodes = [node("Slice", "x none most none", "a"), node("Slice", "x most end none", "b"), node("Sub", "b b", "c"),
             node("Concat", "a c", "g", axis=0)]  # fmt: skip
    return _three(_behind([node("Identity", "x", "g")], {}), _behind(nodes, cut))
