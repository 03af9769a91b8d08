"""Small ONNX graphs made in code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

OPSET = 17


def model(
    nodes: Sequence[onnx.NodeProto],
    inputs: Mapping[str, Sequence[int | str]],
    outputs: Sequence[str],
    constants: Mapping[str, np.ndarray] | None = None,
    opset: int = OPSET,
) -> onnx.ModelProto:
    """A checked float32 model."""
    graph = helper.make_graph(
        list(nodes),
        "made",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in (constants or {}).items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    found = {value.name: value for value in onnx.shape_inference.infer_shapes(made).graph.output}
    for output in made.graph.output:
        output.CopyFrom(found[output.name])
    onnx.checker.check_model(made)
    return made


def run(made: onnx.ModelProto, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Outputs in ONNX Runtime."""
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, dict(feeds))


def random(*shape: int, seed: int = 0) -> np.ndarray:
    """Normal float32 numbers."""
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def cnn(seed: int = 0, batchnorm: bool = True) -> onnx.ModelProto:
    """Two convolutions, pooling, a residual sum, a classifier of five classes on (N,3,12,12)."""
    r = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return (r.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)

    constants = {
        "w1": weights(8, 3, 3, 3), "b1": weights(8), "w2": weights(8, 8, 3, 3), "b2": weights(8),
        "w3": weights(6, 8, 1, 1), "b3": weights(6), "wf": weights(5, 6 * 6 * 6), "bf": weights(5),
    }  # fmt: skip
    nodes = [helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], "conv1", pads=[1, 1, 1, 1])]
    front = "c1"
    if batchnorm:
        constants |= {
            "scale": np.abs(weights(8)) + np.float32(0.5), "shift": weights(8), "mean": weights(8),
            "variance": np.abs(weights(8)) + np.float32(0.5),
        }  # fmt: skip
        nodes.append(
            helper.make_node("BatchNormalization", ["c1", "scale", "shift", "mean", "variance"], ["n1"], "norm1")
        )
        front = "n1"
    nodes += [
        helper.make_node("Relu", [front], ["r1"], "relu1"),
        helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], "conv2", pads=[1, 1, 1, 1]),
        helper.make_node("Add", ["c2", "r1"], ["s"], "sum"),
        helper.make_node("Relu", ["s"], ["r2"], "relu2"),
        helper.make_node("AveragePool", ["r2"], ["p"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["p", "w3", "b3"], ["c3"], "conv3"),
        helper.make_node("Sigmoid", ["c3"], ["g"], "sigmoid"),
        helper.make_node("Mul", ["c3", "g"], ["m"], "swish"),
        helper.make_node("Flatten", ["m"], ["f"], "flatten"),
        helper.make_node("Gemm", ["f", "wf", "bf"], ["y"], "classifier", transB=1),
    ]
    return model(nodes, {"x": ["N", 3, 12, 12]}, ["y"], constants)


def mlp(seed: int = 0) -> onnx.ModelProto:
    """Three matrix products with different activations on (N,12)."""
    r = np.random.default_rng(seed)
    sizes = (12, 20, 16, 6)
    constants: dict[str, np.ndarray] = {}
    nodes, current = [], "x"
    for number, (rows, columns) in enumerate(pairwise(sizes)):
        constants[f"w{number}"] = (r.normal(size=(rows, columns)) / np.sqrt(rows)).astype(np.float32)
        constants[f"b{number}"] = r.normal(size=columns).astype(np.float32)
        nodes.append(helper.make_node("MatMul", [current, f"w{number}"], [f"m{number}"], f"product{number}"))
        nodes.append(helper.make_node("Add", [f"m{number}", f"b{number}"], [f"a{number}"], f"bias{number}"))
        current = f"a{number}"
        if number < 2:
            kind = ("LeakyRelu", "Elu")[number]
            nodes.append(helper.make_node(kind, [current], [f"r{number}"], f"{kind.lower()}{number}", alpha=0.1))
            current = f"r{number}"
    nodes.append(helper.make_node("Softmax", [current], ["y"], "softmax", axis=-1))
    return model(nodes, {"x": ["N", 12]}, ["y"], constants)


def inception(seed: int = 0) -> onnx.ModelProto:
    """Branches that are concatenated and subtracted, pools with padding, six classes on (N,3,16,16)."""
    r = np.random.default_rng(seed)

    def weights(*shape: int) -> np.ndarray:
        return (r.normal(size=shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)

    constants = {
        "w0": weights(8, 3, 3, 3), "b0": weights(8), "w1": weights(6, 8, 1, 1), "b1": weights(6), "w2": weights(6, 8, 3, 3),
        "b2": weights(6), "w3": weights(6, 8, 1, 1), "b3": weights(6), "w4": weights(10, 18, 3, 3), "b4": weights(10),
        "wf": weights(6, 10), "bf": weights(6), "low": np.float32(0), "high": np.float32(1.5),
    }  # fmt: skip
    nodes = [
        helper.make_node("Conv", ["x", "w0", "b0"], ["c0"], "stem", pads=[1, 1, 1, 1]),
        helper.make_node("Clip", ["c0", "low", "high"], ["r0"], "clip"),
        helper.make_node("Conv", ["r0", "w1", "b1"], ["c1"], "branch1"),
        helper.make_node("Tanh", ["c1"], ["t1"], "tanh1"),
        helper.make_node("Conv", ["r0", "w2", "b2"], ["c2"], "branch2", pads=[1, 1, 1, 1]),
        helper.make_node("Sub", ["c2", "t1"], ["d"], "difference"),
        helper.make_node("AveragePool", ["r0"], ["p"], "pool", kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["p", "w3", "b3"], ["c3"], "branch3"),
        helper.make_node("Concat", ["t1", "d", "c3"], ["j"], "join", axis=1),
        helper.make_node("MaxPool", ["j"], ["m"], "maxpool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["m", "w4", "b4"], ["c4"], "conv4", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c4"], ["r4"], "relu4"),
        helper.make_node("GlobalAveragePool", ["r4"], ["g"], "global"),
        helper.make_node("Flatten", ["g"], ["f"], "flatten"),
        helper.make_node("Gemm", ["f", "wf", "bf"], ["y"], "classifier", transB=1),
    ]
    return model(nodes, {"x": ["N", 3, 16, 16]}, ["y"], constants)


def transformer(seed: int = 0, width: int = 16, heads: int = 2, length: int = 6) -> onnx.ModelProto:
    """One encoder layer: attention, two residual sums, layer normalization, GELU by Erf, four classes on (N,6,16)."""
    r = np.random.default_rng(seed)
    constants: dict[str, np.ndarray] = {}

    def weights(name: str, *shape: int) -> str:
        constants[name] = (r.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32)
        return name

    nodes: list[onnx.NodeProto] = []

    def node(kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], f"{kind.lower()}_{output}", **attributes))
        return output

    def linear(source: str, name: str, rows: int, columns: int) -> str:
        product = node("MatMul", [source, weights(f"w_{name}", rows, columns)], f"{name}_product")
        return node("Add", [product, weights(f"b_{name}", columns)], name)

    constants["split"] = np.array([0, length, heads, width // heads])
    constants["merge"] = np.array([0, length, width])
    constants["scale"] = np.float32(np.sqrt(width / heads))
    parts = {}
    for name, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
        made = node("Reshape", [linear("x", name, width, width), "split"], f"{name}_heads")
        parts[name] = node("Transpose", [made], f"{name}_moved", perm=order)
    scores = node("Div", [node("MatMul", [parts["q"], parts["k"]], "scores"), "scale"], "scaled")
    mixed = node("MatMul", [node("Softmax", [scores], "attention", axis=-1), parts["v"]], "mixed")
    back = node("Reshape", [node("Transpose", [mixed], "back", perm=[0, 2, 1, 3]), "merge"], "merged")
    first = node("Add", [linear(back, "out", width, width), "x"], "residual1")
    for number in (1, 2):
        constants[f"gain{number}"] = (1 + r.normal(size=width) / 10).astype(np.float32)
        weights(f"offset{number}", width)
    normal = node("LayerNormalization", [first, "gain1", "offset1"], "normal1", axis=-1)
    hidden = linear(normal, "hidden", width, 2 * width)
    constants |= {"root": np.float32(np.sqrt(2)), "one": np.float32(1), "half": np.float32(0.5)}
    erf = node("Erf", [node("Div", [hidden, "root"], "rooted")], "erf")
    gelu = node("Mul", [node("Mul", [hidden, node("Add", [erf, "one"], "plus")], "weighted"), "half"], "gelu")
    second = node("Add", [linear(gelu, "down", 2 * width, width), normal], "residual2")
    final = node("LayerNormalization", [second, "gain2", "offset2"], "normal2", axis=-1)
    pooled = node("ReduceMean", [final], "pooled", axes=[1], keepdims=0)
    linear(pooled, "y", width, 4)
    return model(nodes, {"x": ["N", length, width]}, ["y"], constants)


def lstm(seed: int = 0) -> onnx.ModelProto:
    """An LSTM over seven steps and a classifier of the last state, four classes on (N,7,5)."""
    r = np.random.default_rng(seed)
    hidden, size = 6, 5

    def weights(*shape: int) -> np.ndarray:
        return (r.normal(size=shape) / np.sqrt(shape[-1])).astype(np.float32)

    constants = {
        "w": weights(1, 4 * hidden, size), "r": weights(1, 4 * hidden, hidden), "b": weights(1, 8 * hidden),
        "wf": weights(hidden, 4), "bf": weights(4), "axes": np.array([0]),
    }  # fmt: skip
    nodes = [
        helper.make_node("Transpose", ["x"], ["steps"], "steps_first", perm=[1, 0, 2]),
        helper.make_node("LSTM", ["steps", "w", "r", "b"], ["", "last"], "lstm", hidden_size=hidden),
        helper.make_node("Squeeze", ["last", "axes"], ["state"], "squeeze"),
        helper.make_node("Tanh", ["state"], ["t"], "tanh"),
        helper.make_node("Gemm", ["t", "wf", "bf"], ["y"], "classifier"),
    ]
    return model(nodes, {"x": ["N", 7, size]}, ["y"], constants)


NETS = {
    "cnn": (cnn, (3, 12, 12)), "mlp": (mlp, (12,)), "inception": (inception, (3, 16, 16)),
    "transformer": (transformer, (6, 16)), "lstm": (lstm, (7, 5)),
}  # fmt: skip
"""By name: what makes a net from a seed, and the shape of one sample of its input `x`."""


def selu_net() -> onnx.ModelProto:
    """Conv, a Selu whose alpha and gamma are not the usual ones, and a Conv without a name; x is (n,3,8,8)."""
    draw = np.random.default_rng(0)
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Selu", ["c"], ["s"], "selu", alpha=1.0, gamma=2.0),
        helper.make_node("Conv", ["s", "v"], ["y"]),
    ]
    shapes = {"w": (4, 3, 3, 3), "v": (5, 4, 3, 3)}
    constants = {name: draw.normal(size=shape).astype(np.float32) * np.float32(0.3) for name, shape in shapes.items()}
    return model(nodes, {"x": ["n", 3, 8, 8]}, ["y"], constants, opset=13)
