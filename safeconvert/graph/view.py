"""An ONNX graph as the engine reads it: nodes in order, constants as arrays, who makes and who reads each tensor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import onnx
from onnx import helper

from safeconvert.core.tensors import array_of
from safeconvert.graph.fold import drop_unused, fold_constants, replace_nodes

Array = np.ndarray[Any, Any]
_PASS_THROUGH = {"Identity", "Dropout"}


@dataclass(frozen=True)
class GraphView:
    """A tidied model; treat as immutable.

    Attributes:
        model: topologically ordered, every node named, every constant an initializer, no Identity or Dropout.
    """

    model: onnx.ModelProto

    @property
    def nodes(self) -> list[onnx.NodeProto]:
        """Nodes in topological order."""
        return list(self._nodes)

    @cached_property
    def _nodes(self) -> tuple[onnx.NodeProto, ...]:
        return tuple(self.model.graph.node)

    @cached_property
    def constants(self) -> Mapping[str, Array]:
        """Initializers by name."""
        return {tensor.name: array_of(tensor) for tensor in self.model.graph.initializer}

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs that are no initializers."""
        return tuple(value.name for value in self.model.graph.input if value.name not in self.constants)

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs."""
        return tuple(value.name for value in self.model.graph.output)

    @cached_property
    def maker(self) -> Mapping[str, int]:
        """Number of the node that makes a tensor; inputs and constants are absent."""
        return {name: number for number, node in enumerate(self._nodes) for name in node.output if name}

    @cached_property
    def users(self) -> Mapping[str, tuple[int, ...]]:
        """Numbers of the nodes that read a tensor."""
        found: dict[str, list[int]] = {}
        for number, node in enumerate(self._nodes):
            for name in set(node.input):
                found.setdefault(name, []).append(number)
        return {name: tuple(numbers) for name, numbers in found.items()}

    @cached_property
    def opset(self) -> int:
        """Version of the default operator set."""
        return next(int(entry.version) for entry in self.model.opset_import if entry.domain in ("", "ai.onnx"))

    def data_inputs(self, number: int) -> list[str]:
        """Inputs of a node that depend on the graph's inputs."""
        return [name for name in self._nodes[number].input if name in self.maker or name in self.inputs]

    def slice_back(self, tensor: str, stop: Iterable[str]) -> tuple[list[int], list[str]]:
        """Nodes between the tensors in `stop` (and the graph's inputs) and a tensor, and those boundary tensors."""
        border, stop_at = set(), set(stop)
        numbers: set[int] = set()
        queue = [tensor]
        while queue:
            name = queue.pop()
            if name in self.constants or not name:
                continue
            if (name in stop_at and name != tensor) or name not in self.maker:
                border.add(name)
                continue
            number = self.maker[name]
            if number not in numbers:
                numbers.add(number)
                queue.extend(self._nodes[number].input)
        return sorted(numbers), sorted(border)


def tidy(model: onnx.ModelProto) -> GraphView:
    """Name every node, turn Constants into initializers, drop Identity and inference-time Dropout, fold what is constant.

    Weights that hide behind Constant, DequantizeLinear, Cast, Identity or Transpose become initializers by this. Function,
    node names and tensor names of what remains are unchanged.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    _lift_constants(graph)
    _drop_identities(graph)
    copy = drop_unused(fold_constants(copy))
    taken: set[str] = set()
    for number, node in enumerate(copy.graph.node):
        name = node.name or f"{node.op_type}_{number}"
        node.name = name if name not in taken else f"{name}#{number}"
        taken.add(node.name)
    del copy.graph.value_info[:]
    return GraphView(copy)


def subgraph(
    view: GraphView, numbers: Iterable[int], inputs: Mapping[str, int], outputs: Iterable[str]
) -> onnx.ModelProto:
    """Some of a view's nodes as a model of their own.

    Args:
        view: the whole.
        numbers: the nodes to keep.
        inputs: element type (ONNX code) of each tensor that is fed.
        outputs: tensors to give out.
    """
    nodes = [view.nodes[number] for number in sorted(set(numbers))]
    read = {name for node in nodes for name in node.input} | _captured(nodes)
    kept = [tensor for tensor in view.model.graph.initializer if tensor.name in read and tensor.name not in inputs]
    graph = helper.make_graph(
        nodes,
        "part",
        [helper.make_tensor_value_info(name, code, None) for name, code in inputs.items()],
        [helper.make_empty_tensor_value_info(name) for name in outputs],
        kept,
    )
    return helper.make_model(graph, opset_imports=view.model.opset_import, ir_version=view.model.ir_version)


def _captured(nodes: Iterable[onnx.NodeProto]) -> set[str]:
    """Outer tensors that control-flow bodies read."""
    found: set[str] = set()
    for node in nodes:
        for attribute in node.attribute:
            for body in [attribute.g, *attribute.graphs]:
                found |= {name for inner in body.node for name in inner.input} | _captured(body.node)
    return found


def _lift_constants(graph: onnx.GraphProto) -> None:
    kept = []
    for node in graph.node:
        value = next((a for a in node.attribute if a.name == "value"), None) if node.op_type == "Constant" else None
        if value is None:
            kept.append(node)
            continue
        tensor = onnx.TensorProto()
        tensor.CopyFrom(value.t)
        tensor.name = node.output[0]
        graph.initializer.append(tensor)
    replace_nodes(graph, kept)


def _drop_identities(graph: onnx.GraphProto) -> None:
    """Readers of a pass-through node read its input; one that makes a graph output stays."""
    outputs = {value.name for value in graph.output}
    renamed: dict[str, str] = {}
    kept = []
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        single = sum(bool(name) for name in node.output) == 1 or not any(node.output[1:])
        training = node.op_type == "Dropout" and len(node.input) > 2
        if node.op_type in _PASS_THROUGH and single and not training and node.output[0] not in outputs:
            renamed[node.output[0]] = node.input[0]
        else:
            kept.append(node)
    replace_nodes(graph, kept)
