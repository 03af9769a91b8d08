"""What an output was before a function that saturates: the logits of a softmax, the sum in a sigmoid, the scores of an argmax."""

from __future__ import annotations

from collections.abc import Mapping

import onnx
from onnx import helper

SATURATING = ("Softmax", "LogSoftmax", "Sigmoid", "HardSigmoid", "Tanh", "ArgMax", "ArgMin")
_CARRIES = {"Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose"}


def before_saturation(model: onnx.ModelProto) -> dict[int, tuple[str, str]]:
    """By place of an output, the operator that saturates it and the tensor that it reads; others are absent."""
    makers = {name: node for node in model.graph.node for name in node.output if name}
    found = {}
    for index, output in enumerate(model.graph.output):
        node = makers.get(output.name)
        while node is not None and node.op_type in _CARRIES:
            node = makers.get(node.input[0])
        if node is not None and node.op_type in SATURATING:
            found[index] = (node.op_type, node.input[0])
    return found


def exposed(model: onnx.ModelProto, tensors: Mapping[int, str]) -> onnx.ModelProto:
    """A copy that gives out these tensors, and nothing else, as `before_0`, `before_1`, … by place of the output."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = onnx.shape_inference.infer_shapes(model).graph if model.ByteSize() < 1 << 30 else model.graph
    types = {value.name: value.type for value in [*graph.value_info, *graph.input, *graph.output]}
    outputs = {value.name for value in copy.graph.output}
    del copy.graph.output[:]
    for index, name in tensors.items():
        copy.graph.node.append(helper.make_node("Identity", [name], [f"before_{index}"], f"before_{index}"))
        value = helper.make_empty_tensor_value_info(f"before_{index}")
        if name in types and name not in outputs:
            value.type.CopyFrom(types[name])
        copy.graph.output.append(value)
    return copy
