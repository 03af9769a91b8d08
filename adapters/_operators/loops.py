"""Bodies inside a graph: a branch whose condition is known, and loops whose length is known, unrolled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from .node import Node

Run = Callable[[Sequence[onnx.NodeProto], dict[str, Any], str], None]
"""Runs nodes on values by name, which it adds to; the text is put before their names."""

_LONGEST = 1024  # steps: an unrolled loop beyond it would be a model of hundred thousands of operations


def inside(run: Run, node: Node, values: Mapping[str, Any]) -> list[Any]:
    """The outputs of If, Loop or Scan.

    Args:
        run: see `Run`.
        node: the node; its inputs are values.
        values: of the graph around it, which a body may read.

    Raises:
        NotImplementedError: branches of other shapes under a condition, or a length, that is not known while converting.
    """
    return {"If": _branch, "Loop": _loop, "Scan": _scan}[node.operator](run, node, values)


def _body(
    run: Run, node: Node, body: onnx.GraphProto, values: Mapping[str, Any], given: Sequence[Any], step: str
) -> list[Any]:
    inner = {**values, **{tensor.name: numpy_helper.to_array(tensor) for tensor in body.initializer}}
    inner.update(zip([value.name for value in body.input], given, strict=True))
    run(body.node, inner, f"{node.name}/{step}")
    return [inner[value.name] for value in body.output]


def _branch(run: Run, node: Node, values: Mapping[str, Any]) -> list[Any]:
    condition = node.inputs[0]
    if isinstance(condition, np.ndarray):
        body = node.attribute("then_branch" if bool(condition.reshape(-1)[0]) else "else_branch")
        return _body(run, node, body, values, [], "")
    then, other = (
        _body(run, node, node.attribute(f"{name}_branch"), values, [], f"{name}/") for name in ("then", "else")
    )
    return [_chosen(node, condition, one, two) for one, two in zip(then, other, strict=True)]


def _chosen(node: Node, condition: Any, one: Any, two: Any) -> Any:
    """One of two values, both of which are computed: nothing in a graph has an effect but its outputs."""
    b = node.backend
    if isinstance(one, list) or isinstance(two, list):
        raise node.refuse("the condition depends on the model's inputs, and the branches give sequences")
    shapes = [tuple(b.shape(value)) for value in (one, two)]
    kinds = [b.dtype(value) for value in (one, two)]
    if shapes[0] != shapes[1] or kinds[0] != kinds[1]:
        raise node.refuse(
            f"the condition depends on the model's inputs, and the branches give {kinds[0]} {list(shapes[0])} and "
            f"{kinds[1]} {list(shapes[1])}"
        )
    return b.map("where", b.reshape(condition, [1] * len(shapes[0])), one, two)


def _stacked(node: Node, steps: list[Any], axis: int) -> Any:
    b = node.backend
    if not steps:
        raise node.refuse("a loop of no steps")
    shape = list(b.shape(steps[0]))
    axis %= len(shape) + 1
    return b.concat([b.reshape(step, [*shape[:axis], 1, *shape[axis:]]) for step in steps], axis)


def _length(node: Node, carried: int) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The number of steps and the condition. A declared number of collected values is the number of steps."""
    for at in range(carried, len(node.outputs)):
        shape = node.declared_shape(at)
        if shape and not all(value is None or isinstance(value, np.ndarray) for value in node.inputs[:2]):
            node.tell(f"inputs 0 and 1 of node {node.name} (Loop)", f"it runs {shape[0]} times")
            return np.asarray(shape[0]), None
    return node.known(0, "the number of steps"), node.known(1, "the condition")


def _loop(run: Run, node: Node, values: Mapping[str, Any]) -> list[Any]:
    body, carried = node.attribute("body"), list(node.inputs[2:])
    limit, condition = _length(node, len(carried))
    collected: list[list[Any]] = [[] for _ in range(len(body.output) - 1 - len(carried))]
    steps = None if limit is None else int(limit.reshape(-1)[0])
    declared = node.declared_shape(len(carried)) is not None and limit is not None
    going, index, running = condition is None or bool(condition.reshape(-1)[0]), 0, None
    while going and (steps is None or index < steps):
        if index >= _LONGEST:
            raise node.refuse(f"a loop of more than {_LONGEST} steps")
        goes, *rest = _body(
            run, node, body, values, [np.asarray(index, np.int64), np.asarray(True), *carried], f"{index}/"
        )
        for into, value in zip(collected, rest[len(carried) :], strict=True):
            into.append(value)
        made = rest[: len(carried)]
        carried = (
            made if running is None else [_chosen(node, running, *pair) for pair in zip(made, carried, strict=True)]
        )
        if declared or isinstance(goes, np.ndarray):
            going = declared or bool(goes.reshape(-1)[0])
        elif steps is None or collected:
            raise node.refuse("how often the loop runs depends on the model's inputs")
        else:  # all steps are computed, and those behind the last one that counts are left out
            running = goes if running is None else node.backend.map("and", running, goes)
        index += 1
    return [*carried, *[_stacked(node, into, 0) for into in collected]]


def _scan(run: Run, node: Node, values: Mapping[str, Any]) -> list[Any]:
    if node.opset < 9:
        raise node.refuse("before operator set 9 is not supported")
    b, body, count = node.backend, node.attribute("body"), int(node.attribute("num_scan_inputs"))
    states, sequences = list(node.inputs[:-count]), list(node.inputs[-count:])
    outputs = len(body.output) - len(states)
    axes = [
        axis % len(b.shape(x))
        for axis, x in zip(node.attribute("scan_input_axes", [0] * count), sequences, strict=True)
    ]
    backwards = node.attribute("scan_input_directions", [0] * count)
    length = b.shape(sequences[0])[axes[0]]
    if not isinstance(length, int) or length > _LONGEST:
        raise node.refuse(f"over a length that is free or beyond {_LONGEST}")
    collected: list[list[Any]] = [[] for _ in range(outputs)]
    for step in range(length):
        parts = []
        for x, axis, back in zip(sequences, axes, backwards, strict=True):
            at, shape = (length - 1 - step if back else step), list(b.shape(x))
            part = b.slice(x, [slice(at, at + 1) if a == axis else slice(None) for a in range(len(shape))])
            parts.append(b.reshape(part, shape[:axis] + shape[axis + 1 :]))
        results = _body(run, node, body, values, [*states, *parts], f"{step}/")
        states = results[: len(states)]
        for into, value in zip(collected, results[len(states) :], strict=True):
            into.append(value)
    made = []
    directions = node.attribute("scan_output_directions", [0] * outputs)
    for into, axis, back in zip(collected, node.attribute("scan_output_axes", [0] * outputs), directions, strict=True):
        made.append(_stacked(node, into[::-1] if back else into, axis))
    return [*states, *made]
