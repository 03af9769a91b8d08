"""Rewrite the nodes of a graph one by one: what a rule has to know of a graph, and the loop over its nodes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.graph.constants import Constants
from safeconvert.graph.fold import drop_unused, replace_nodes
from safeconvert.graph.shapes import inferred, shapes_of

Array = np.ndarray[Any, Any]
Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Graph:
    """A graph that is being rewritten.

    Attributes:
        proto: the graph; constants are added to it.
        values: constants by name.
        shapes: by tensor, None for a size that is not known; tensors of unknown rank are absent.
        kinds: element types by tensor, as far as they are known.
        opset: of the default domain.
    """

    proto: onnx.GraphProto
    values: Mapping[str, Array]
    shapes: Mapping[str, Shape]
    kinds: Mapping[str, int]
    opset: int

    def constant(self, name: str, value: Array) -> str:
        """Add a constant; its name, for a node's input."""
        self.proto.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def scalar(self, name: str, value: float, like: str) -> str:
        """Add a constant of one number of the same type as a tensor."""
        kind = helper.tensor_dtype_to_np_dtype(self.kinds.get(like, onnx.TensorProto.FLOAT))
        return self.constant(name, np.asarray(value).astype(kind))


def opset_of(model: onnx.ModelProto) -> int:
    """The version of the default operator set."""
    return max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)


def explicit_attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """A node's attributes by name; text as str."""
    found = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in found.items()}


def rewritten(
    model: onnx.ModelProto,
    kinds: Collection[str],
    make: Callable[[onnx.NodeProto, Graph], list[onnx.NodeProto] | None],
    domains: Collection[str] = ("", "ai.onnx"),
) -> onnx.ModelProto:
    """Replace nodes of some operators by what `make` gives; None leaves a node as it is.

    The nodes made must give the outputs of the node that they replace.

    Args:
        model: is changed.
        kinds: the operators.
        make: gets a node and the graph.
        domains: of the operators.
    """
    if not any(node.op_type in kinds for node in model.graph.node):
        return model
    graph = _graph(model)
    nodes: list[onnx.NodeProto] = []
    changed = False
    for node in model.graph.node:
        made = make(node, graph) if node.op_type in kinds and node.domain in domains else None
        nodes += [node] if made is None else made
        changed |= made is not None
    if not changed:
        return model
    replace_nodes(model.graph, nodes)
    return drop_unused(model)


def _graph(model: onnx.ModelProto) -> Graph:
    found = inferred(model)
    kinds = {value.name: value.type.tensor_type.elem_type for value in [*found.value_info, *found.input, *found.output]}
    kinds |= {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    values = Constants(model.graph)
    shapes: dict[str, Shape] = {**shapes_of(found), **values.shapes()}
    return Graph(model.graph, values, shapes, kinds, opset_of(model))
