"""Names that every framework takes: a fault must not hide behind a slash in a name that Keras refuses."""

from __future__ import annotations

import onnx


def plainly_named(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy: inputs `input_0` …, outputs `output_0` …, other values `value_0` …, nodes by operator and number."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    names = {"": ""}
    for role, values in (("input", graph.input), ("output", graph.output)):
        for number, value in enumerate(values):
            value.name = names.setdefault(value.name, f"{role}_{number}")
    inner = [*(tensor.name for tensor in graph.initializer), *(name for node in graph.node for name in node.output)]
    for name in inner:
        names.setdefault(name, f"value_{len(names)}")
    for tensor in graph.initializer:
        tensor.name = names[tensor.name]
    for number, node in enumerate(graph.node):
        _renamed(node, names)
        node.output[:] = [names[name] for name in node.output]
        node.name = f"{node.op_type}_{number}"
    del graph.value_info[:]
    return copy


def _renamed(node: onnx.NodeProto, names: dict[str, str]) -> None:
    """What a node reads, also what the bodies of a control-flow node read from around it."""
    node.input[:] = [names.get(name, name) for name in node.input]
    for attribute in node.attribute:
        for body in [attribute.g] if attribute.HasField("g") else attribute.graphs:
            own = {name for inner in body.node for name in inner.output} | {value.name for value in body.input}
            seen = {old: new for old, new in names.items() if old not in own}
            for inner in body.node:
                _renamed(inner, seen)
            for value in body.output:
                value.name = seen.get(value.name, value.name)
