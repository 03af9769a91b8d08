"""A graph as ONNX Runtime saves it after its optimizations goes to every format, and a wrong constant in it is still seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.command import safeconvert
from tests.onnx_models import random

pytestmark = pytest.mark.converters
FILES = {"torch": "out.pt2", "keras": "out.keras", "tflite": "out.tflite"}


def optimized() -> onnx.ModelProto:
    """A convolution with its activation, then attention and a dense block over its places."""
    own = {"domain": "com.microsoft"}
    nodes = [
        helper.make_node("FusedConv", ["x", "w", "b"], ["c"], "conv", activation="Relu", pads=[1, 1, 1, 1], **own),
        helper.make_node("Reshape", ["c", "flat"], ["f"], "flat"),
        helper.make_node("Transpose", ["f"], ["t"], "places", perm=[0, 2, 1]),
        helper.make_node("Attention", ["t", "qkv", "qkv_bias"], ["a"], "attention", num_heads=2, **own),
        helper.make_node(
            "SkipLayerNormalization", ["a", "t", "gamma", "beta", "extra"], ["s"], "norm", epsilon=1e-5, **own
        ),
        helper.make_node("FusedMatMul", ["s", "dense"], ["d"], "dense", transB=1, alpha=0.5, **own),
        helper.make_node("BiasGelu", ["d", "dense_bias"], ["g"], "gelu", **own),
        helper.make_node("ReduceMean", ["g"], ["y"], "mean", axes=[1], keepdims=0),
    ]
    constants = {
        "w": random(8, 3, 3, 3, seed=1), "b": random(8, seed=2), "flat": np.array([0, 8, 16]), "qkv": random(8, 24, seed=3) / 3,
        "qkv_bias": random(24, seed=4), "gamma": random(8, seed=5), "beta": random(8, seed=6), "extra": random(8, seed=7),
        "dense": random(5, 8, seed=8), "dense_bias": random(5, seed=9),
    }  # fmt: skip
    graph = helper.make_graph(
        nodes, "optimized", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 4, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 5])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


@pytest.mark.parametrize("target", [pytest.param("keras", marks=pytest.mark.slow), "torch", "tflite"])
def test_it_goes_to_every_format(target: str, tmp_path: Path) -> None:
    onnx.save(optimized(), tmp_path / "net.onnx")
    out = tmp_path / FILES[target]
    done = safeconvert("convert", tmp_path / "net.onnx", "--to", target, "-o", out, "--samples", 16, "--json")
    assert done.code == 0, done.text
    if target == "torch":
        spoiled = optimized()
        gamma = next(tensor for tensor in spoiled.graph.initializer if tensor.name == "extra")
        gamma.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(gamma) * np.float32(1.01), "extra"))
        onnx.save(spoiled, tmp_path / "spoiled.onnx")
        assert safeconvert("verify", tmp_path / "spoiled.onnx", out, "--samples", 16, "--json").code == 1
