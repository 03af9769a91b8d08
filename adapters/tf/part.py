"""A part of a TensorFlow model as a frozen graph, and the nodes that no converter has."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.cut import Remainder
from safeconvert.errors import UnusableInput

from .._shared.part_between import between
from .._shared.tf_files import TfFile, open_tf

_CONSTANT = ("Const", "NoOp", "Placeholder")
_HOST = ("Lookup", "String", "Regex", "Unicode", "DecodeBase64", "AsString")
"""How operators begin that work on strings or look values up in a table."""


def cut(request: Mapping[str, Any], begin: list[str], end: list[str], target: str) -> dict[str, Any]:
    """Write the nodes between two ends as a frozen graph; what is not in it.

    A name is a node's, a tensor's (`name:0`), or a scope's, such as the layer that a SavedModel's nodes are grouped under.

    Raises:
        UnusableInput: no such node, one that no output depends on, or variables that cannot be frozen.
    """
    path = ModelRequest.from_json(request).path
    graph_def, graph, given = _frozen(open_tf(ModelRequest.from_json(request)), path)
    nodes = {node.name: node for node in graph_def.node}
    entries = list(dict.fromkeys(name for one in begin for name in _entries(nodes, one)))
    exits = {_last(name): name for one in end for name in _exits(nodes, one, given)} or dict(given)
    kept, reached = _between(nodes, [*exits.values()], entries)
    for name in entries:
        if name not in reached or name in exits.values():
            raise UnusableInput(f"{path}: no output of the part depends on {name}", "name a node before the outputs")
        if _node(name) in kept:
            raise UnusableInput(
                f"{path}: the part needs more of {_node(name)} than {name}", "begin with all that it gives"
            )
    made = _written(nodes, graph, [name for name in nodes if name in kept], entries, exits)
    made.library.CopyFrom(graph_def.library)
    made.versions.CopyFrom(graph_def.versions)
    Path(target).write_bytes(made.SerializeToString())
    front, _ = _between(nodes, entries, ())
    varying = _varying(nodes)
    left = [node for node in graph_def.node if node.name in varying - kept and node.op not in (*_CONSTANT, "Identity")]
    told = {node.name: f"{node.name} ({node.op})" for node in left}
    before = tuple(told[node.name] for node in left if node.name in front)
    behind = tuple(told[node.name] for node in left if node.name not in front)
    return Remainder(before, behind, tuple(map(_placed, entries))).to_json()


def host_scopes(file: TfFile, path: str) -> tuple[list[str], list[str]]:
    """The nodes that read strings or look values up, each with its operator, and the scopes to begin with behind them.

    Scopes are the names behind what all nodes' names begin with: a Keras model's layers.
    """
    nodes = {node.name: node for node in _frozen(file, path)[0].node}
    working = {name: node for name, node in nodes.items() if node.op not in (*_CONSTANT, "Identity")}
    readers = [node for node in working.values() if node.op.removeprefix("Static").startswith(_HOST)]
    depth = _shared_depth([name.split("/")[:-1] for name in working])

    def scope(name: str) -> str:
        parts = name.split("/")
        return parts[depth] if len(parts) > depth + 1 else name

    host = {scope(node.name) for node in readers}
    begin = {
        scope(name): None
        for name, node in working.items()
        if scope(name) not in host and any(scope(_origin(nodes, one)) in host for one in node.input)
    }
    return [f"{node.name} ({node.op})" for node in readers], list(begin)


def _shared_depth(paths: Sequence[Sequence[str]]) -> int:
    """How many names all paths begin with."""
    depth = 0
    while len({tuple(path[: depth + 1]) for path in paths if len(path) > depth}) == 1:
        depth += 1
    return depth


def _origin(nodes: Mapping[str, Any], name: str) -> str:
    """The node that makes what a node reads, through Identity."""
    node = nodes[_node(name)]
    while node.op == "Identity":
        node = nodes[_node(node.input[0])]
    return str(node.name)


def _frozen(file: TfFile, path: str) -> tuple[Any, Any, dict[str, str]]:
    """The graph with its weights as constants, the same opened, and its outputs' tensors by name."""
    if not file.signature_key:
        return file.graph_def, file.owner.graph, {_last(name): name for name in file.tensor_names[1]}
    try:
        frozen = convert_variables_to_constants_v2(file.function, lower_control_flow=False)
    except (ValueError, KeyError, tf.errors.OpError) as error:
        text = " ".join(str(error).split())[:240]
        raise UnusableInput(f"{path}: its variables cannot be frozen: {text}") from error
    outputs = dict(zip(sorted(file.function.structured_outputs), (one.name for one in frozen.outputs), strict=True))
    return frozen.graph.as_graph_def(), frozen.graph, {name: outputs[name] for name in file.outputs}


def _members(nodes: Mapping[str, Any], name: str) -> list[str]:
    """The nodes that a name means: one node, or those of a scope."""
    plain = name.split(":")[0]
    if plain in nodes:
        return [plain]
    found = [one for one in nodes if f"/{plain}/" in f"/{one}/"]
    if not found:
        known = [*nodes, *{part for one in nodes for part in one.split("/")}]
        near = difflib.get_close_matches(plain, sorted(known), n=1)
        raise UnusableInput(
            f"{name}: no node or scope of the graph has this name", f"did you mean {near[0]}?" if near else ""
        )
    return found


def _entries(nodes: Mapping[str, Any], name: str) -> list[str]:
    members = _members(nodes, name)
    if ":" in name:
        return [_tensor(name)]
    inside = set(members)
    given = [_tensor(one) for member in members for one in nodes[member].input if not one.startswith("^")]
    varying = _varying(nodes)
    found = [one for one in given if _node(one) not in inside and _node(one) in varying]
    if not found:
        raise UnusableInput(f"{name}: reads constants only", "begin with a node behind it")
    return found


def _exits(nodes: Mapping[str, Any], name: str, given: Mapping[str, str]) -> list[str]:
    members = _members(nodes, name)
    if ":" in name:
        return [_tensor(name)]
    inside = set(members)
    used = [_tensor(one) for node in nodes.values() if node.name not in inside for one in node.input if one[:1] != "^"]
    found = [one for one in dict.fromkeys((*used, *given.values())) if _node(one) in inside]
    varying = _varying(nodes)
    found = [one for one in found if _node(one) in varying]
    return found or [_tensor(members[-1])]


def _between(nodes: Mapping[str, Any], exits: Sequence[str], stops: Sequence[str]) -> tuple[set[str], set[str]]:
    """The nodes between the stops and the exits, and the tensors that they read or are."""

    def reads(name: str) -> list[str]:
        return [_tensor(one) for one in nodes[name].input if not one.startswith("^")]

    return between(exits, stops, _node, reads)


def _varying(nodes: Mapping[str, Any]) -> set[str]:
    """The nodes whose results are not the same for every input."""
    found = {name for name, node in nodes.items() if node.op.startswith("Placeholder")}
    readers: dict[str, list[str]] = {}
    for name, node in nodes.items():
        for one in node.input:
            readers.setdefault(_node(one), []).append(name)
    waiting = list(found)
    while waiting:
        new = [name for name in readers.get(waiting.pop(), ()) if name not in found]
        found.update(new)
        waiting += new
    return found


def _written(
    nodes: Mapping[str, Any], graph: Any, kept: Sequence[str], entries: Sequence[str], exits: Mapping[str, str]
) -> Any:
    """A graph of the nodes kept, with a placeholder for each entry and an Identity for each output."""
    made = tf.compat.v1.GraphDef()
    inside = set(kept)
    for name in entries:
        tensor = graph.get_tensor_by_name(name)
        node = made.node.add(name=_placed(name), op="Placeholder")
        node.attr["dtype"].type = tensor.dtype.as_datatype_enum
        node.attr["shape"].shape.CopyFrom(tensor.shape.as_proto())
    renamed = {name: f"{_placed(name)}:0" for name in entries}
    for name in kept:
        node = made.node.add()
        node.CopyFrom(nodes[name])
        del node.input[:]
        data = [one for one in nodes[name].input if not one.startswith("^")]
        node.input.extend(renamed.get(_tensor(one), one) for one in data)
        node.input.extend(one for one in nodes[name].input if one.startswith("^") and one[1:] in inside)
    taken = {node.name for node in made.node}
    for key, name in exits.items():
        while key in taken:
            key += "_"
        taken.add(key)
        node = made.node.add(name=key, op="Identity")
        node.attr["T"].type = graph.get_tensor_by_name(name).dtype.as_datatype_enum
        node.input.append(renamed.get(name, name))
    return made


def _tensor(name: str) -> str:
    return name if ":" in name else f"{name}:0"


def _node(name: str) -> str:
    return name.split(":")[0].lstrip("^")


def _last(name: str) -> str:
    return _node(name).split("/")[-1]


def _placed(name: str) -> str:
    """What the placeholder of an entry is called: as its node, so that nothing else of the part bears the name."""
    node, number = name.split(":")
    return node if number == "0" else f"{node}_{number}"
