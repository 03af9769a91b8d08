"""What two graphs of one function should both have: control flow, tables of rows, and inputs that are read."""

from __future__ import annotations

from collections import Counter

import onnx

_CONTROL = ("If", "Loop", "Scan")


def one_sided(source: onnx.ModelProto, target: onnx.ModelProto) -> list[str]:
    """What only one of two graphs has, or has more often, one line each; names count by place for inputs.

    A difference is no fault: a converter may unroll a loop, and an exporter write a table as a product. It is where to look.
    """
    lines = []
    for what, count in (("control flow", _control), ("table", _tables)):
        ours, theirs = count(source), count(target)
        for side, more in (("source", ours - theirs), ("target", theirs - ours)):
            lines += [
                f"{what} {name} only in the {side}" + (f" ({n} times)" if n > 1 else "")
                for name, n in sorted(more.items())
            ]
    unread = [_unread(model) for model in (source, target)]
    for side, own, other in (("source", unread[0], unread[1]), ("target", unread[1], unread[0])):
        lines += [
            f"input {name} is read by the other model and not by the {side}"
            for index, name in own.items()
            if index not in other
        ]
    return lines


def _control(model: onnx.ModelProto) -> Counter[str]:
    return Counter(node.op_type for node in model.graph.node if node.op_type in _CONTROL)


def _tables(model: onnx.ModelProto) -> Counter[str]:
    """Constants whose rows an input chooses, by their sizes."""
    constants = {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    chosen = {value.name for value in model.graph.input if value.name not in constants}
    found: Counter[str] = Counter()
    for node in model.graph.node:
        if node.op_type == "Gather" and node.input[1] in chosen and len(constants.get(node.input[0], ())) >= 2:
            found[f"of {' by '.join(map(str, constants[node.input[0]]))}"] += 1
        if node.op_type not in ("Shape", "Size") and any(name in chosen for name in node.input):
            chosen.update(node.output)
    return found


def _unread(model: onnx.ModelProto) -> dict[int, str]:
    """Inputs that no node reads, by place."""
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value.name for value in model.graph.input if value.name not in constants]
    outputs = {value.name for value in model.graph.output}
    read = _read(model.graph)
    return {index: name for index, name in enumerate(inputs) if name not in read and name not in outputs}


def _read(graph: onnx.GraphProto) -> set[str]:
    found = {name for node in graph.node for name in node.input}
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                found |= _read(attribute.g) | {value.name for value in attribute.g.output}
    return found
