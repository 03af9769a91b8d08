"""Put faults into ONNX graphs, seeded, and disguise a graph: other names, other layout, folded BatchNorm."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.graph.attributes import attributes
from safeconvert.graph.view import GraphView, tidy
from safeconvert.localize.variants import fold_batchnorm


@dataclass(frozen=True)
class Injected:
    """One fault put in.

    Attributes:
        kind: of the fault.
        what: in words.
        targets: nodes of the target that may be named for it.
        sources: nodes of the source that may be named for it.
    """

    kind: str
    what: str
    targets: frozenset[str]
    sources: frozenset[str] = frozenset()


Injector = Callable[[onnx.ModelProto, np.random.Generator], Injected | None]
WEIGHTED = ("Conv", "Gemm", "MatMul", "BatchNormalization", "LayerNormalization", "LSTM", "ConvTranspose")


def weights(model: onnx.ModelProto, random: np.random.Generator) -> Injected | None:
    """Change a tenth of one weight or bias tensor."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    places = [
        (node, index)
        for node in model.graph.node
        if node.op_type in WEIGHTED
        for index, name in enumerate(node.input)
        if index and name in constants and numpy_helper.to_array(constants[name]).dtype == np.float32
    ]
    if not places:
        return None
    node, index = places[random.integers(len(places))]
    value = numpy_helper.to_array(constants[node.input[index]]).copy()
    chosen = random.random(value.shape) < max(0.1, 1.5 / value.size)
    chosen.flat[random.integers(value.size)] = True
    scale = max(float(np.abs(value).max()), 0.1)
    value[chosen] += (random.choice([-1, 1], size=int(chosen.sum())) * scale).astype(np.float32)
    if node.op_type == "BatchNormalization" and index == 4:
        value = np.abs(value)
    name = f"{node.input[index]}::injected"
    model.graph.initializer.append(numpy_helper.from_array(value, name))
    node.input[index] = name
    return Injected("WB", f"input {index} of {node.op_type}", frozenset({node.name}))


def hyperparameter(model: onnx.ModelProto, random: np.random.Generator) -> Injected | None:
    """Change one attribute of one node, the output's shape kept."""
    options: list[tuple[onnx.NodeProto, str, object]] = []
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    constants = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    ranks = {
        value.name: len(value.type.tensor_type.shape.dim)
        for value in onnx.shape_inference.infer_shapes(model).graph.value_info
    }
    for node in model.graph.node:
        said = attributes(node, opset, [constants.get(name) for name in node.input])
        pads = said.get("pads")
        if node.op_type in ("Conv", "MaxPool", "AveragePool") and pads and any(pads) and len(pads) == 4:
            options.append((node, "pads", [0, 0, pads[0] + pads[2], pads[1] + pads[3]]))
        if node.op_type == "AveragePool" and pads and any(pads):
            options.append((node, "count_include_pad", 1 - said.get("count_include_pad", 0)))
        for operator, name, value in (
            ("BatchNormalization", "epsilon", 0.5), ("LayerNormalization", "epsilon", 0.5), ("LeakyRelu", "alpha", 0.3),
            ("Elu", "alpha", 0.4), ("HardSigmoid", "alpha", 0.35), ("Gemm", "alpha", 0.7), ("Gemm", "beta", 0.4),
        ):  # fmt: skip
            if node.op_type == operator:
                options.append((node, name, value))
        if node.op_type == "Softmax" and ranks.get(node.input[0], 0) > 2:
            options.append((node, "axis", 1))
    if not options:
        return None
    node, name, value = options[random.integers(len(options))]
    kept = [attribute for attribute in node.attribute if attribute.name not in (name, "auto_pad")]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute(name, value)])
    return Injected("LH", f"{name} of {node.op_type}", frozenset({node.name}))


def dropped(model: onnx.ModelProto, random: np.random.Generator) -> Injected | None:
    """Take an activation out."""
    outputs = {value.name for value in model.graph.output}
    kinds = ("Relu", "Clip", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Erf", "HardSigmoid")
    places = [node for node in model.graph.node if node.op_type in kinds and node.output[0] not in outputs]
    if not places:
        return None
    node = places[random.integers(len(places))]
    readers = [other for other in model.graph.node if node.output[0] in other.input]
    maker = [other.name for other in model.graph.node if node.input[0] in other.output]
    for other in readers:
        other.input[:] = [node.input[0] if name == node.output[0] else name for name in other.input]
    model.graph.node.remove(node)
    return Injected(
        "CG", f"{node.op_type} dropped", frozenset([*(other.name for other in readers), *maker]), frozenset({node.name})
    )


def inserted(model: onnx.ModelProto, random: np.random.Generator) -> Injected | None:
    """Put an operator in front of a weighted node."""
    places = [node for node in model.graph.node if node.op_type in ("Conv", "Gemm", "MatMul")]
    places = [node for node in places if node.input[0] not in {tensor.name for tensor in model.graph.initializer}]
    if not places:
        return None
    node = places[random.integers(len(places))]
    kind = ["Neg", "Sigmoid", "Tanh", "Abs"][random.integers(4)]
    name = f"{node.name}::injected"
    made = helper.make_node(kind, [node.input[0]], [name], name)
    node.input[0] = name
    model.graph.node.insert(list(model.graph.node).index(node), made)
    return Injected("CG", f"{kind} inserted", frozenset({name, node.name}))


def transposed(model: onnx.ModelProto, random: np.random.Generator) -> Injected | None:
    """Swap height and width in front of a Conv, pool or Flatten on square images."""
    shapes = {
        value.name: [size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in onnx.shape_inference.infer_shapes(model).graph.value_info
    }
    places = []
    for node in model.graph.node:
        shape = shapes.get(node.input[0]) if node.input else None
        square = shape is not None and len(shape) == 4 and shape[2] == shape[3] > 1
        if square and node.op_type in ("Conv", "MaxPool", "AveragePool", "Flatten", "Reshape"):
            places.append(node)
    if not places:
        return None
    node = places[random.integers(len(places))]
    name = f"{node.name}::injected"
    made = helper.make_node("Transpose", [node.input[0]], [name], name, perm=[0, 1, 3, 2])
    node.input[0] = name
    model.graph.node.insert(list(model.graph.node).index(node), made)
    return Injected("TSS", f"Transpose in front of {node.op_type}", frozenset({name, node.name}))


def swapped(model: onnx.ModelProto, random: np.random.Generator) -> Injected | None:
    """Swap the two inputs of a Sub, Div, Concat or MatMul of two tensors."""
    constants = {tensor.name for tensor in model.graph.initializer}
    places = [
        node
        for node in model.graph.node
        if node.op_type in ("Sub", "Div", "Concat") and len(node.input) == 2 and not constants & set(node.input)
        and node.input[0] != node.input[1]
    ]  # fmt: skip
    if not places:
        return None
    node = places[random.integers(len(places))]
    node.input[:] = list(node.input)[::-1]
    return Injected("CG", f"inputs of {node.op_type} swapped", frozenset({node.name}))


INJECTORS: dict[str, Injector] = {
    "WB": weights, "LH": hyperparameter, "CG drop": dropped, "CG insert": inserted, "CG swap": swapped, "TSS": transposed,
}  # fmt: skip


def inject(model: onnx.ModelProto, kinds: list[str], seed: int) -> tuple[GraphView, list[Injected]]:
    """A tidied copy with faults, on nodes that no other fault touches."""
    random = np.random.default_rng(seed)
    current = tidy(model).model
    found: list[Injected] = []
    for kind in kinds:
        for _ in range(8):
            copy = onnx.ModelProto.FromString(current.SerializeToString())
            made = INJECTORS[kind](copy, random)
            touched = frozenset().union(*(one.targets | one.sources for one in found)) if found else frozenset()
            if made is not None and not (made.targets | made.sources) & touched:
                current = copy
                found.append(made)
                break
    return tidy(current), found


def renamed(view: GraphView, keep: str = "t") -> tuple[GraphView, dict[str, str]]:
    """Every node and inner tensor under another name; by old node name the new one."""
    model = onnx.ModelProto.FromString(view.model.SerializeToString())
    kept = {value.name for value in [*model.graph.input, *model.graph.output]}
    tensors: dict[str, str] = {name: name for name in kept} | {"": ""}

    def name(old: str) -> str:
        return tensors.setdefault(old, f"{keep}{len(tensors)}")

    nodes = {}
    for number, node in enumerate(model.graph.node):
        nodes[node.name] = f"{keep}_node_{number}"
        node.name = nodes[node.name]
        node.input[:] = [name(old) for old in node.input]
        node.output[:] = [name(old) for old in node.output]
    for tensor in model.graph.initializer:
        tensor.name = name(tensor.name)
    del model.graph.value_info[:]
    return GraphView(model), nodes


def channels_last(view: GraphView) -> GraphView:
    """Image inputs taken channels last, brought back by a Transpose in front, as tf2onnx writes it."""
    model = onnx.ModelProto.FromString(view.model.SerializeToString())
    for value in model.graph.input:
        sizes = [size.dim_value for size in value.type.tensor_type.shape.dim]
        if len(sizes) != 4:
            continue
        dims = list(value.type.tensor_type.shape.dim)
        moved = [onnx.TensorShapeProto.Dimension.FromString(dims[axis].SerializeToString()) for axis in (0, 2, 3, 1)]
        del value.type.tensor_type.shape.dim[:]
        value.type.tensor_type.shape.dim.extend(moved)
        inner = f"{value.name}::nchw"
        for node in model.graph.node:
            node.input[:] = [inner if name == value.name else name for name in node.input]
        model.graph.node.insert(0, helper.make_node("Transpose", [value.name], [inner], inner, perm=[0, 3, 1, 2]))
    return GraphView(model)


def folded(view: GraphView) -> GraphView:
    """BatchNorms folded into the convolutions in front of them."""
    return fold_batchnorm(view) or view
