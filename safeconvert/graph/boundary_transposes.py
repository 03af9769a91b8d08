"""Layout at a graph's ends: the Transposes that a channels-last converter puts back itself are taken off."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import onnx
from onnx import helper

from safeconvert.graph.fold import replace_nodes
from safeconvert.graph.operators import CHANNELS_SECOND, KEEPS_AXES, ON_IMAGES

_TO_SECOND, _TO_LAST = [0, 3, 1, 2], [0, 2, 3, 1]
_REAL = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE, onnx.TensorProto.BFLOAT16)


def has_layout(model: onnx.ModelProto) -> bool:
    """Whether the graph holds an operator that assumes channels second."""
    return any(node.op_type in CHANNELS_SECOND for node in model.graph.node)


def peel_input_transposes(model: onnx.ModelProto) -> tuple[onnx.ModelProto, dict[str, bool]]:
    """Drop `Transpose(0,3,1,2)` right behind a rank-4 input, so that the input itself is channels second.

    Returns:
        The model, and for each input whether it was peeled (its order of dimensions is now NCHW instead of NHWC).
    """
    graph = model.graph
    initializers = {tensor.name for tensor in graph.initializer}
    peeled: dict[str, bool] = {}
    for value in graph.input:
        if value.name in initializers:
            continue
        users = [node for node in graph.node if value.name in node.input]
        peeled[value.name] = _all_to_channels_second(users)
        if not peeled[value.name]:
            continue
        renamed = {user.output[0]: value.name for user in users}
        replace_nodes(graph, [node for node in graph.node if not any(node is user for user in users)])
        for node in graph.node:
            node.input[:] = [renamed.get(name, name) for name in node.input]
        _permute_shape(value, _TO_SECOND)
    return model, peeled


def peel_output_transposes(model: onnx.ModelProto) -> tuple[onnx.ModelProto, dict[str, bool]]:
    """Drop `Transpose(0,2,3,1)` right in front of a rank-4 output that nothing else reads."""
    graph = model.graph
    uses = Counter(name for node in graph.node for name in node.input)
    peeled: dict[str, bool] = {}
    for value in graph.output:
        maker = next((node for node in graph.node if value.name in node.output), None)
        inner = maker.input[0] if maker is not None else ""
        made_inside = any(inner in node.output for node in graph.node)
        peeled[value.name] = (
            maker is not None
            and _permutation(maker) == _TO_LAST
            and uses[value.name] == 0
            and uses[inner] == 1
            and made_inside
            and inner not in peeled
        )
        if not peeled[value.name]:
            continue
        replace_nodes(graph, [node for node in graph.node if node is not maker])
        for node in graph.node:
            node.output[:] = [value.name if name == inner else name for name in node.output]
        _permute_shape(value, _TO_SECOND)
    return model, peeled


def channels_second_ends(model: onnx.ModelProto) -> frozenset[str]:
    """The inputs and outputs of rank 4 or 5 that are images with their channels second, and have no Transpose behind them.

    An image is what an operator on images reads as its data or makes, with operators in between that keep the axes. Those
    with a Transpose are channels last already, as in a graph that comes from TensorFlow.
    """
    graph = model.graph
    initializers = {tensor.name for tensor in graph.initializer}
    inputs = {one.name for one in graph.input if one.name not in initializers and _may_be_image(one)}
    outputs = {one.name for one in graph.output if _may_be_image(one)}
    return frozenset((inputs & _read_as_images(graph)) | (outputs & _made_as_images(graph)))


def _read_as_images(graph: onnx.GraphProto) -> set[str]:
    found: set[str] = set()
    for node in reversed(graph.node):
        if node.op_type in ON_IMAGES:
            found.add(node.input[0])
        elif node.op_type in KEEPS_AXES and found.intersection(node.output):
            found.update(node.input)
    return found


def _made_as_images(graph: onnx.GraphProto) -> set[str]:
    found: set[str] = set()
    for node in graph.node:
        if node.op_type in ON_IMAGES:
            found.add(node.output[0])
        elif node.op_type in KEEPS_AXES and found.intersection(node.input):
            found.update(node.output)
    return found


def _may_be_image(value: onnx.ValueInfoProto) -> bool:
    tensor = value.type.tensor_type
    return len(tensor.shape.dim) in (4, 5) and tensor.elem_type in _REAL


def _all_to_channels_second(users: Sequence[onnx.NodeProto]) -> bool:
    return bool(users) and all(_permutation(node) == _TO_SECOND for node in users)


def _permutation(node: onnx.NodeProto) -> list[int] | None:
    if node.op_type != "Transpose":
        return None
    for attribute in node.attribute:
        if attribute.name == "perm":
            return list(attribute.ints)
    return None


def _permute_shape(value: onnx.ValueInfoProto, permutation: list[int]) -> None:
    tensor = value.type.tensor_type
    shape = [d.dim_param or (d.dim_value if d.HasField("dim_value") else None) for d in tensor.shape.dim]
    if len(shape) == len(permutation):
        moved = helper.make_tensor_value_info(value.name, tensor.elem_type, [shape[axis] for axis in permutation])
        value.CopyFrom(moved)
