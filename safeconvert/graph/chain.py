"""Nodes one behind the other in the place of another one, named after it."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph


class Chain:
    """The nodes that replace a node.

    Attributes:
        nodes: those made so far, in order.
    """

    def __init__(self, node: onnx.NodeProto, graph: Graph) -> None:
        """Without nodes; constants are added to the graph."""
        self._node, self._graph = node, graph
        self._stem = node.name or next(name for name in node.output if name)
        self.nodes: list[onnx.NodeProto] = []

    def add(self, kind: str, *inputs: str, to: str = "", **attributes: Any) -> str:
        """Add a node of ONNX' own operators with one output; the output's name.

        Args:
            kind: the operator.
            inputs: tensors; "" for one that is left out.
            to: the output's name; "" makes one up.
            attributes: of the node.
        """
        name = to or f"{self._stem}__{kind}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(kind, list(inputs), [name], f"{self._stem}__{len(self.nodes)}", **attributes)
        )
        return name

    def scalar(self, value: float, like: str) -> str:
        """A constant of one number of the same type as a tensor; its name."""
        return self._graph.scalar(f"{self._stem}__constant_{len(self._graph.proto.initializer)}", value, like)

    def whole(self, values: list[int]) -> str:
        """A constant vector of int64; its name."""
        return self.held(np.asarray(values, np.int64))

    def held(self, value: np.ndarray[Any, Any]) -> str:
        """A constant; its name."""
        return self._graph.constant(f"{self._stem}__constant_{len(self._graph.proto.initializer)}", value)

    def cast(self, x: str, kind: int) -> str:
        """Elements of another type."""
        name = f"{self._stem}__Cast_{len(self.nodes)}"
        self.nodes.append(helper.make_node("Cast", [x], [name], f"{self._stem}__{len(self.nodes)}", to=kind))
        return name

    def unsqueezed(self, x: str, axes: list[int]) -> str:
        """Axes of size 1 put in; written as the graph's operator set wants it."""
        if self._graph.opset >= 13:
            return self.add("Unsqueeze", x, self.whole(axes))
        return self.add("Unsqueeze", x, axes=axes)

    def reduced(self, kind: str, x: str, axis: int) -> str:
        """A reduction along one axis, which stays with size 1; written as the graph's operator set wants it."""
        if self._graph.opset >= 18 or (kind == "ReduceSum" and self._graph.opset >= 13):
            return self.add(kind, x, self.whole([axis]), keepdims=1)
        return self.add(kind, x, axes=[axis], keepdims=1)


def without_domain(model: onnx.ModelProto, domain: str) -> onnx.ModelProto:
    """The model without the import of an operator domain that no node is of any more."""
    if not any(node.domain == domain for node in model.graph.node):
        kept = [entry for entry in model.opset_import if entry.domain != domain]
        del model.opset_import[:]
        model.opset_import.extend(kept)
    return model
