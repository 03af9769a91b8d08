"""Re-expressions of a source region, so that it can be compared node by node with a target that is written so.

Each function gives the graph re-expressed, its function unchanged, or None where there is nothing to re-express.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.graph.attributes import attributes
from safeconvert.graph.fold import drop_unused, replace_nodes
from safeconvert.graph.view import GraphView

Array = np.ndarray[Any, Any]
Variant = Callable[[GraphView], GraphView | None]


def variants(source: GraphView) -> Iterator[GraphView]:
    """The region as it is, then re-expressed by one rule, then by two."""
    yield source
    single = {rule: found for rule in _RULES if (found := rule(source)) is not None}
    yield from single.values()
    for one, two in combinations(_RULES, 2):
        first = single.get(one)
        both = two(first) if first is not None else None
        if both is not None:
            yield both


def fold_batchnorm(view: GraphView) -> GraphView | None:
    """Conv (or Gemm with transB) followed by BatchNormalization, as one Conv with other weights."""
    edited = _Editor(view)
    for number, norm in enumerate(view.nodes):
        if norm.op_type != "BatchNormalization" or norm.input[0] not in view.maker:
            continue
        conv = view.nodes[view.maker[norm.input[0]]]
        if conv.op_type != "Conv" or len(view.users[conv.output[0]]) != 1 or conv.input[1] not in view.constants:
            continue
        scale, shift = _scale_and_shift(view, norm)
        weights = view.constants[conv.input[1]]
        bias = view.constants[conv.input[2]] if len(conv.input) > 2 and conv.input[2] else np.zeros_like(shift)
        folded = weights * scale.reshape(-1, *[1] * (weights.ndim - 1))
        made = [edited.constant(conv.name, 1, folded), edited.constant(conv.name, 2, bias * scale + shift)]
        merged = helper.make_node("Conv", [conv.input[0], *made], list(norm.output), conv.name)
        merged.attribute.extend(conv.attribute)
        edited.replace(view.maker[norm.input[0]], [])
        edited.replace(number, [merged])
    return edited.result()


def expand_batchnorm(view: GraphView) -> GraphView | None:
    """BatchNormalization as Mul and Add with one value a channel."""
    edited = _Editor(view)
    for number, norm in enumerate(view.nodes):
        if norm.op_type != "BatchNormalization":
            continue
        scale, shift = _scale_and_shift(view, norm)
        names = [
            edited.constant(norm.name, index, value.reshape(-1, 1, 1)) for index, value in ((1, scale), (2, shift))
        ]
        between = f"{norm.output[0]}::scaled"
        edited.replace(
            number,
            [
                helper.make_node("Mul", [norm.input[0], names[0]], [between], norm.name),
                helper.make_node("Add", [between, names[1]], list(norm.output), f"{norm.name}::shift"),
            ],
        )
    return edited.result()


def split_pads(view: GraphView) -> GraphView | None:
    """The padding of a Conv or pool as a Pad of its own in front of it."""
    edited = _Editor(view)
    for number, node in enumerate(view.nodes):
        if node.op_type not in ("Conv", "MaxPool", "AveragePool"):
            continue
        weights = view.constants.get(node.input[1]) if len(node.input) > 1 else None
        known = attributes(node, view.opset, [None, weights.shape if weights is not None else None])
        pads = known.get("pads")
        if not pads or not any(pads):
            continue
        half = len(pads) // 2
        name = f"{node.output[0]}::padded"
        sizes = np.array([0, 0, *pads[:half], 0, 0, *pads[half:]], np.int64)
        inputs = [node.input[0], edited.constant(f"{node.name}::pad", 1, sizes)]
        if node.op_type == "MaxPool":
            inputs.append(edited.constant(f"{node.name}::pad", 2, np.array(np.finfo(np.float32).min)))
        pad = helper.make_node("Pad", inputs, [name], f"{node.name}::pad")
        plain = onnx.NodeProto()
        plain.CopyFrom(node)
        plain.input[0] = name
        del plain.attribute[:]
        plain.attribute.extend(a for a in node.attribute if a.name not in ("pads", "auto_pad"))
        edited.replace(number, [pad, plain])
    return edited.result()


def merge_pads(view: GraphView) -> GraphView | None:
    """A zero Pad of the image axes in front of a Conv as the Conv's own padding."""
    edited = _Editor(view)
    for number, node in enumerate(view.nodes):
        front = view.maker.get(node.input[0]) if node.op_type == "Conv" else None
        pad = view.nodes[front] if front is not None else None
        if front is None or pad is None or pad.op_type != "Pad" or len(view.users[pad.output[0]]) != 1:
            continue
        sizes = view.constants.get(pad.input[1]) if len(pad.input) > 1 else None
        fill = view.constants.get(pad.input[2]) if len(pad.input) > 2 and pad.input[2] else np.zeros(())
        mode = attributes(pad, view.opset, [None] * len(pad.input)).get("mode", "constant")
        if sizes is None or fill is None or np.any(fill != 0) or mode != "constant":
            continue
        weights = view.constants.get(node.input[1])
        known = attributes(node, view.opset, [None, weights.shape if weights is not None else None])
        half = len(sizes) // 2
        if any(sizes[[0, 1, half, half + 1]]) or "pads" not in known:
            continue
        added = [*sizes[2:half].tolist(), *sizes[half + 2 :].tolist()]
        merged = onnx.NodeProto()
        merged.CopyFrom(node)
        merged.input[0] = pad.input[0]
        del merged.attribute[:]
        merged.attribute.extend(a for a in node.attribute if a.name not in ("pads", "auto_pad"))
        total = [own + more for own, more in zip(known["pads"], added, strict=True)]
        merged.attribute.append(helper.make_attribute("pads", total))
        edited.replace(front, [])
        edited.replace(number, [merged])
    return edited.result()


def gemm_as_matmul(view: GraphView) -> GraphView | None:
    """Gemm with constant weights as MatMul and Add, alpha, beta and transB applied to the weights."""
    edited = _Editor(view)
    for number, node in enumerate(view.nodes):
        if node.op_type != "Gemm" or node.input[1] not in view.constants:
            continue
        known = attributes(node, view.opset, [None, None, None])
        if known.get("transA"):
            continue
        weights = view.constants[node.input[1]] * np.float32(known["alpha"])
        product = f"{node.output[0]}::product" if len(node.input) > 2 else node.output[0]
        name = edited.constant(node.name, 1, weights.T if known["transB"] else weights)
        nodes = [helper.make_node("MatMul", [node.input[0], name], [product], node.name)]
        if len(node.input) > 2:
            bias = view.constants.get(node.input[2])
            if bias is None:
                continue
            shift = edited.constant(node.name, 2, bias * np.float32(known["beta"]))
            nodes.append(helper.make_node("Add", [product, shift], list(node.output), f"{node.name}::bias"))
        edited.replace(number, nodes)
    return edited.result()


def matmul_as_gemm(view: GraphView) -> GraphView | None:
    """MatMul of a matrix with constant weights (and an Add of a constant) as Gemm."""
    edited = _Editor(view)
    for number, node in enumerate(view.nodes):
        weights = view.constants.get(node.input[1]) if node.op_type == "MatMul" else None
        if weights is None or weights.ndim != 2:
            continue
        users = view.users.get(node.output[0], ())
        add = view.nodes[users[0]] if len(users) == 1 else None
        bias = next((name for name in add.input if name in view.constants), None) if add is not None else None
        merged = add is not None and add.op_type == "Add" and bias is not None
        inputs = [*node.input, bias] if merged and bias is not None else list(node.input)
        output = add.output[0] if merged and add is not None else node.output[0]
        if merged:
            edited.replace(users[0], [])
        edited.replace(number, [helper.make_node("Gemm", inputs, [output], node.name)])
    return edited.result()


_RULES: tuple[Variant, ...] = (fold_batchnorm, expand_batchnorm, split_pads, merge_pads, gemm_as_matmul, matmul_as_gemm)


class _Editor:
    """Collects what replaces the nodes of a view."""

    def __init__(self, view: GraphView) -> None:
        self._view = view
        self._nodes: dict[int, list[onnx.NodeProto]] = {}
        self._constants: list[onnx.TensorProto] = []

    def constant(self, node: str, index: int, value: Array) -> str:
        """Add an initializer; its name."""
        name = f"{node}::{index}::variant"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def replace(self, number: int, nodes: list[onnx.NodeProto]) -> None:
        """Replace one node by others."""
        self._nodes[number] = nodes

    def result(self) -> GraphView | None:
        """The graph with all replacements, or None where there were none."""
        if not self._nodes:
            return None
        model = onnx.ModelProto()
        model.CopyFrom(self._view.model)
        nodes = [new for n, old in enumerate(self._view.nodes) for new in self._nodes.get(n, [old])]
        replace_nodes(model.graph, nodes)
        model.graph.initializer.extend(self._constants)
        return GraphView(drop_unused(model))


def _scale_and_shift(view: GraphView, norm: onnx.NodeProto) -> tuple[Array, Array]:
    """y = scale · x + shift of a BatchNormalization at inference (ONNX BatchNormalization-15)."""
    gamma, beta, mean, variance = (view.constants[name].astype(np.float64) for name in norm.input[1:5])
    epsilon = attributes(norm, view.opset, [None] * 5)["epsilon"]
    scale = gamma / np.sqrt(variance + epsilon)
    return scale.astype(np.float32), (beta - mean * scale).astype(np.float32)
