"""A graph read into terms, node after node in topological order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import onnx

from safeconvert.graph.attributes import attributes
from safeconvert.graph.view import GraphView
from safeconvert.prove.search.forms.opaque import opaque
from safeconvert.prove.search.step import Shape, Step
from safeconvert.prove.search.table import AXIOMS
from safeconvert.prove.search.terms import Array, TermStore
from safeconvert.prove.search.values import Value

_FLOATING = {
    onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16, onnx.TensorProto.DOUBLE,
}  # fmt: skip
CONSTANT = "constant"
"""What is said of a node whose outputs do not depend on the inputs."""
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


@dataclass(frozen=True)
class Known:
    """What is known of a graph's tensors at concrete sizes, by name: shapes, element types, and the values of those that are constant."""

    shapes: Mapping[str, Shape]
    kinds: Mapping[str, int]
    constants: Mapping[str, Array]


def read(store: TermStore, view: GraphView, inputs: Mapping[str, Value], known: Known) -> Reading:
    """Read a graph whose inputs have concrete shapes.

    Args:
        store: of the proof.
        view: the graph, tidied.
        inputs: what each input is.
        known: of its tensors.
    """
    constants = {**known.constants, **view.constants}
    values: dict[str, Value] = dict(inputs)
    spoke = []
    for node in view.nodes:
        names = [name for name in node.output if name]
        if all(name in constants for name in names):
            spoke.append(CONSTANT)
            continue
        operands = tuple(values.get(name, constants.get(name)) for name in node.input)
        shapes = [_shape_of(operand) for operand in operands]
        step = Step(
            store, node, _settings(node, view.opset, shapes), operands, tuple(known.shapes.get(name) for name in node.output),
            known.kinds.get(node.output[0], 0) in _FLOATING, view.opset,
        )  # fmt: skip
        made, axiom = _made(step)
        spoke.append(axiom)
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
