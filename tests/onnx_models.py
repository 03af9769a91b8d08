"""Small ONNX graphs made in code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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
