"""Small ONNX graphs for the prover's tests, and pairs of them that say the same in other operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import TensorContract
from safeconvert.core.signature import TensorSpec

Array = np.ndarray[Any, Any]


class Builder:
    """A graph written line by line: each call adds a node and gives the name of its output."""

    def __init__(self, shape: Sequence[int | str], opset: int = 17, dtype: int = TensorProto.FLOAT) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.shape, self.opset, self.dtype = list(shape), opset, dtype

    def constant(self, value: Any, dtype: Any = np.float32) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def ints(self, *values: int) -> str:
        return self.constant(values, np.int64)

    def __call__(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        names = [f"t{len(self.nodes)}_{number}" for number in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, name=f"n{len(self.nodes)}", **attributes))
        return names[0] if outputs == 1 else names

    def model(self, output: str) -> onnx.ModelProto:
        nodes = [*self.nodes, helper.make_node("Identity", [output], ["y"], name="last")]
        graph = helper.make_graph(
            nodes, "g", [helper.make_tensor_value_info("x", self.dtype, self.shape)],
            [helper.make_empty_tensor_value_info("y")], self.constants,
        )  # fmt: skip
        graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)


def contract(inputs: tuple[int, ...] | None = None, outputs: tuple[int, ...] | None = None) -> Contract:
    """One input and one output, the target's in the orders of axes given."""
    one = TensorContract(TensorSpec("x", (), "float32"), TensorSpec("x", (), "float32"), inputs, "test")
    two = TensorContract(TensorSpec("y", (), "float32"), TensorSpec("y", (), "float32"), outputs, "test")
    return Contract((one,), (two,), ())


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def numbers(shape: Sequence[int], seed: int) -> Array:
    return rng(seed).normal(size=shape).astype(np.float32)
