"""A part of an ONNX graph between named nodes or tensors, as a model of its own."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence

import onnx

from safeconvert.core.cut import Remainder
from safeconvert.errors import UnusableInput
from safeconvert.graph.constants import constant_tensors
from safeconvert.graph.fold import drop_unused, replace_nodes
from safeconvert.graph.shapes import inferred


def cut_graph(model: onnx.ModelProto, begin: Sequence[str], end: Sequence[str]) -> tuple[onnx.ModelProto, Remainder]:
    """Keep what lies between two ends.

    A node's name takes the node in, at either end; a tensor's name is where the cut is. What a node reads beside constants becomes
    an input, under the tensor's name; inputs that the part still reads stay inputs behind those.

    Args:
        model: any; it is not changed.
        begin: nodes or tensors; () leaves the inputs.
        end: nodes or tensors; () leaves the outputs.

    Returns:
        The part, and what is not in it.

    Raises:
        UnusableInput: no such node or tensor, one that nothing behind depends on, or a tensor whose type nobody declares.
    """
    graph = model.graph
    constants = set(constant_tensors(graph))
    entries = list(dict.fromkeys(name for one in begin for name in _entries(graph, one, constants)))
    exits = list(dict.fromkeys(name for one in end for name in _exits(graph, one)))
    exits = exits or [value.name for value in graph.output]
    kept = _between(graph, entries, exits)
    reached = {name for node in kept for name in reads(node)} | set(exits)
    for name in entries:
        if name not in reached or name in exits:
            raise UnusableInput(
                f"{name}: no output of the part depends on what comes behind it", "name a node in front of the outputs"
            )
    known = inferred(model)
    types = {value.name: value for value in [*known.value_info, *known.input, *known.output]}
    inputs = [value for value in graph.input if value.name in reached and value.name not in (*constants, *entries)]
    part = onnx.ModelProto()
    part.CopyFrom(model)
    replace_nodes(part.graph, kept)
    del part.graph.input[:], part.graph.output[:]
    part.graph.input.extend([*(_declared(name, types) for name in entries), *inputs])
    part.graph.output.extend(types[name] if name in types else onnx.ValueInfoProto(name=name) for name in exits)
    return drop_unused(part), _remainder(graph, kept, entries)


def behind_strings(model: onnx.ModelProto) -> tuple[list[str], list[str]]:
    """The nodes that read strings, each with its operator, and the tensors of numbers that they make."""
    known = inferred(model)
    texts = {
        value.name
        for value in [*known.value_info, *known.input, *known.output]
        if value.type.tensor_type.elem_type == onnx.TensorProto.STRING
    }
    readers = [node for node in model.graph.node if texts.intersection(node.input)]
    made = [name for node in readers for name in node.output if name and name not in texts]
    return [f"{node.name or node.output[0]} ({node.op_type})" for node in readers], made


def reads(node: onnx.NodeProto) -> Iterator[str]:
    """The tensors that a node reads, those of its bodies from outside included."""
    yield from (name for name in node.input if name)
    for attribute in node.attribute:
        for body in (attribute.g, *attribute.graphs):
            made = {value.name for value in body.input} | {tensor.name for tensor in body.initializer}
            made |= {name for inner in body.node for name in inner.output}
            yield from (name for inner in body.node for name in reads(inner) if name not in made)
            yield from (value.name for value in body.output if value.name not in made)


def _entries(graph: onnx.GraphProto, name: str, constants: set[str]) -> list[str]:
    node = next((node for node in graph.node if node.name == name), None)
    if node is None:
        return [_tensor(graph, name)]
    found = [tensor for tensor in reads(node) if tensor not in constants]
    if not found:
        raise UnusableInput(f"{name}: this node reads constants only", "begin with a node behind it")
    return found


def _exits(graph: onnx.GraphProto, name: str) -> list[str]:
    node = next((node for node in graph.node if node.name == name), None)
    if node is None:
        return [_tensor(graph, name)]
    used = {tensor for other in graph.node for tensor in reads(other)} | {value.name for value in graph.output}
    return [tensor for tensor in node.output if tensor in used] or [tensor for tensor in node.output if tensor][:1]


def _tensor(graph: onnx.GraphProto, name: str) -> str:
    made = {value.name for value in graph.input} | {tensor for node in graph.node for tensor in node.output if tensor}
    if name not in made:
        known = [*(node.name for node in graph.node if node.name), *made]
        near = difflib.get_close_matches(name, sorted(known), n=1)
        raise UnusableInput(
            f"{name}: no node or tensor of the graph has this name", f"did you mean {near[0]}?" if near else ""
        )
    return name


def _between(graph: onnx.GraphProto, entries: Iterable[str], exits: Iterable[str]) -> list[onnx.NodeProto]:
    """The nodes that the exits depend on, without what lies in front of the entries."""
    stops = set(entries)
    needed = set(exits) - stops
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(set(reads(node)) - stops)
            kept.append(node)
    return kept[::-1]


def _declared(name: str, types: dict[str, onnx.ValueInfoProto]) -> onnx.ValueInfoProto:
    value = types.get(name)
    kind = value.type.tensor_type if value is not None else onnx.TypeProto.Tensor()
    if value is None or not kind.elem_type or not kind.HasField("shape"):
        raise UnusableInput(
            f"{name}: what size this tensor has is known only when the model runs, so that it cannot become an input",
            "begin with a node in front of it",
        )
    return value


def _remainder(graph: onnx.GraphProto, kept: Sequence[onnx.NodeProto], entries: Sequence[str]) -> Remainder:
    """The nodes that are left out: those that the entries depend on lie before the part, the others behind it."""
    inside = {tensor for node in kept for tensor in node.output}
    left = [node for node in graph.node if not inside.intersection(node.output) and node.op_type != "Constant"]
    front = {id(node) for node in _between(graph, (), entries)}
    names = {id(node): f"{node.name or node.output[0]} ({node.op_type})" for node in left}
    before = tuple(names[id(node)] for node in left if id(node) in front)
    return Remainder(before, tuple(names[id(node)] for node in left if id(node) not in front), tuple(entries))
