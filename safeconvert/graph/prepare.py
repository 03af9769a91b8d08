"""Bring an intermediate ONNX graph into the plain form that converters expect, its function unchanged.

Constants become initializers, constant subgraphs are folded, and names lose the characters that target frameworks
reject. The layout passes take the Transposes off a graph's ends that a channels-last converter puts back itself.
"""

from __future__ import annotations

import re
from collections import Counter

import onnx
from onnx import helper

from safeconvert.graph.fold import drop_unused, fold_constants, replace_nodes, static_batch_reshapes
from safeconvert.graph.operators import CHANNELS_SECOND


def plain(model: onnx.ModelProto) -> onnx.ModelProto:
    """Fold constants (onnxscript's optimizer, then `fold`), lift `Constant` nodes to initializers, drop what is unused."""
    from onnxscript import optimizer

    model = optimizer.optimize(model, onnx_shape_inference=True)
    graph = model.graph
    kept = []
    for node in graph.node:
        value = next((a for a in node.attribute if a.name == "value"), None) if node.op_type == "Constant" else None
        if value is not None:
            tensor = onnx.TensorProto()
            tensor.CopyFrom(value.t)
            tensor.name = node.output[0]
            graph.initializer.append(tensor)
        else:
            kept.append(node)
    replace_nodes(graph, kept)
    return drop_unused(static_batch_reshapes(fold_constants(model)))


def safe_names(model: onnx.ModelProto) -> onnx.ModelProto:
    """Rename every value and node to letters, digits and underscores; inputs and outputs keep a readable name.

    Keras refuses '/' in layer names, and torch.export's archive mangles ';' (TFLite's fused names), as seen in
    keras 3.15 and torch 2.13.
    """
    taken: set[str] = set()
    names: dict[str, str] = {"": ""}

    def safe(name: str) -> str:
        if name not in names:
            base = re.sub(r"\W+", "_", name.removesuffix(":0")).strip("_") or "value"
            base = f"v_{base}" if base[0].isdigit() else base
            base = base[:80]
            candidate, number = base, 1
            while candidate.lower() in taken:
                candidate, number = f"{base}_{number}", number + 1
            taken.add(candidate.lower())
            names[name] = candidate
        return names[name]

    graph = model.graph
    for value in [*graph.input, *graph.output]:
        value.name = safe(value.name)
    for tensor in graph.initializer:
        tensor.name = safe(tensor.name)
    for number, node in enumerate(graph.node):
        _rename_captured(node, safe)
        node.input[:] = [safe(name) for name in node.input]
        node.output[:] = [safe(name) for name in node.output]
        node.name = f"{node.op_type}_{number}"
    del graph.value_info[:]
    return model


def _rename_captured(node: onnx.NodeProto, safe: object) -> None:
    """Subgraphs (If, Loop) capture outer names, so a graph with one keeps them: refuse instead of breaking it."""
    if any(attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for attribute in node.attribute):
        raise NotImplementedError(f"operator {node.op_type} at node {node.name}: control-flow bodies are not supported")


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
        peeled[value.name] = bool(users) and all(_permutation(node) == [0, 3, 1, 2] for node in users)
        if not peeled[value.name]:
            continue
        renamed = {user.output[0]: value.name for user in users}
        replace_nodes(graph, [node for node in graph.node if not any(node is user for user in users)])
        for node in graph.node:
            node.input[:] = [renamed.get(name, name) for name in node.input]
        _permute_shape(value, [0, 3, 1, 2])
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
            and _permutation(maker) == [0, 2, 3, 1]
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
        _permute_shape(value, [0, 3, 1, 2])
    return model, peeled


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
