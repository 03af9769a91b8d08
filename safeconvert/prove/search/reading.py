"""A graph read into terms, node after node in topological order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import onnx

from safeconvert.graph.attributes import attributes
from safeconvert.graph.shapes import inferred
from safeconvert.graph.view import GraphView
from safeconvert.prove.search.forms.opaque import opaque
from safeconvert.prove.search.step import Shape, Step
from safeconvert.prove.search.table import AXIOMS
from safeconvert.prove.search.terms import Array, TermStore
from safeconvert.prove.search.values import Value

_FLOATING = {
    onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16, onnx.TensorProto.DOUBLE,
}  # fmt: skip
_FLATTENED_BEFORE_13 = {"Softmax", "LogSoftmax", "Hardmax"}


@dataclass(frozen=True)
class Reading:
    """What the tensors of a graph are.

    Attributes:
        view: the graph.
        values: by tensor; absent where nothing could be known.
        axioms: by node number, the axiom that spoke, or "as it is", or "" for none.
    """

    view: GraphView
    values: Mapping[str, Value]
    axioms: tuple[str, ...]


def read(store: TermStore, view: GraphView, inputs: Mapping[str, Value]) -> Reading:
    """Read a graph whose inputs have concrete shapes.

    Args:
        store: of the proof.
        view: the graph, tidied after its shapes were made concrete.
        inputs: what each input is.
    """
    graph = inferred(view.model)
    shapes = _shapes(graph)
    kinds = {value.name: value.type.tensor_type.elem_type for value in [*graph.value_info, *graph.input, *graph.output]}
    values: dict[str, Value] = dict(inputs)
    spoke = []
    for node in view.nodes:
        operands = tuple(values.get(name, view.constants.get(name)) for name in node.input)
        known = [_shape_of(operand) for operand in operands]
        step = Step(
            store, node, _settings(node, view.opset, known), operands, tuple(shapes.get(name) for name in node.output),
            kinds.get(node.output[0], 0) in _FLOATING, view.opset,
        )  # fmt: skip
        made, axiom = _made(step)
        spoke.append(axiom)
        names = [name for name in node.output if name]
        for name, value in zip(names, made or (), strict=False):
            values[name] = value
    return Reading(view, values, tuple(spoke))


def _made(step: Step) -> tuple[list[Value] | None, str]:
    if any(name and operand is None for name, operand in zip(step.node.input, step.operands, strict=True)):
        return None, ""
    if step.node.domain in ("", "ai.onnx"):
        for axiom in AXIOMS.get(step.node.op_type, ()):
            made = axiom(step)
            if made is not None:
                return made, axiom.__name__
    made = opaque(step)
    return made, "as it is" if made is not None else ""


def _settings(node: onnx.NodeProto, opset: int, shapes: list[Shape | None]) -> dict[str, object]:
    found = attributes(node, opset, shapes)
    if node.op_type in _FLATTENED_BEFORE_13 and opset < 13 and shapes and shapes[0] is not None:
        axis = int(found.get("axis", 1)) % len(shapes[0])
        if axis != len(shapes[0]) - 1:
            found["flattens"] = True
    return found


def _shape_of(operand: Value | Array | None) -> Shape | None:
    return None if operand is None else tuple(operand.shape)


def _shapes(graph: onnx.GraphProto) -> dict[str, Shape]:
    """Shapes that are known in every dimension."""
    found = {}
    for value in [*graph.value_info, *graph.input, *graph.output]:
        if value.type.tensor_type.HasField("shape"):
            sizes = [d.dim_value if d.HasField("dim_value") else None for d in value.type.tensor_type.shape.dim]
            if all(size is not None for size in sizes):
                found[value.name] = tuple(int(size) for size in sizes if size is not None)
    return found
