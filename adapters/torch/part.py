"""A part of an ExportedProgram as a program of its own: the calls between two ends."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.cut import Remainder
from safeconvert.errors import UnusableInput

from .._shared.torch_files import open_torch
from .._shared.torch_layers import layer_of

Sizes = Mapping[str, tuple[int, Any]]
"""By symbol, the least and the largest size."""
_LEAST = 2  # of a free size: an example of 1 would be taken for fixed


def cut(request: Mapping[str, Any], begin: list[str], end: list[str], target: str) -> dict[str, Any]:
    """Write the calls between two ends; what is not in it. A name is a call's, or a module's (`layer1.0`), which is all calls in it.

    Raises:
        UnusableInput: the file holds code and no graph, no such call or module, or one that no output depends on.
    """
    model = ModelRequest.from_json(request)
    file = open_torch(model)
    if file.program is None:
        raise UnusableInput(
            f"{model.path}: holds a module's code, which has no calls with names to cut at",
            "save it with torch.export, or convert the whole to ONNX (convert --to onnx) and cut that: its nodes bear the names of "
            "the modules",
        )
    nodes = [
        node for node in file.module.graph.nodes if node.op != "call_module"
    ]  # which checks sizes, and gives nothing
    varying = _varying(nodes)
    entries = _unique(node for name in begin for node in _ends(model.path, nodes, varying, name, True))
    results = next(node for node in nodes if node.op == "output").all_input_nodes
    exits = _unique(node for name in end for node in _ends(model.path, nodes, varying, name, False)) or results
    kept = _between(exits, entries)
    for node in entries:
        if node not in kept or node in exits:
            raise UnusableInput(
                f"{model.path}: no output of the part depends on {node.name}", "name a call before the outputs"
            )
    sizes = {
        str(symbol): (int(limits.lower), limits.upper) for symbol, limits in file.program.range_constraints.items()
    }
    program = _exported(file.module, [node for node in nodes if node in kept], entries, exits, sizes)
    torch.export.save(program, target)
    front = _between(entries, ())
    left = [node for node in nodes if node in varying and node not in kept and node.op == "call_function"]
    left += [node for node in entries if node.op == "call_function"]
    left = [node for node in nodes if node in left]
    told = {node: f"{node.name} ({getattr(node.target, '__name__', node.target)})" for node in left}
    before = tuple(told[node] for node in left if node in front)
    return Remainder(
        before, tuple(told[node] for node in left if node not in front), tuple(n.name for n in entries)
    ).to_json()


def _ends(path: str, nodes: Sequence[Any], varying: set[Any], name: str, front: bool) -> list[Any]:
    """The nodes whose values go into the calls that a name means, or come out of them."""
    members = [node for node in nodes if node.name == name and node.op in ("call_function", "placeholder")]
    members = members or [node for node in nodes if f"{layer_of(node)}.".startswith(f"{name}.") and node in varying]
    if not members:
        known = sorted({node.name for node in nodes} | {layer_of(node) for node in nodes} - {""})
        near = difflib.get_close_matches(name, known, n=1)
        raise UnusableInput(f"{path}: no call or module is named {name}", f"did you mean {near[0]}?" if near else "")
    inside = set(members)
    if front:
        if any(node.op == "placeholder" for node in members):
            return members
        return [one for node in members for one in node.all_input_nodes if one not in inside and one in varying]
    return [node for node in members if any(user not in inside for user in node.users)] or members[-1:]


def _varying(nodes: Sequence[Any]) -> set[Any]:
    """The nodes whose values depend on the inputs."""
    found: set[Any] = set()
    for node in nodes:
        if node.op == "placeholder" or any(one in found for one in node.all_input_nodes):
            found.add(node)
    return found


def _between(exits: Iterable[Any], stops: Iterable[Any]) -> set[Any]:
    """The nodes from the stops, which are among them where they are reached, to the exits."""
    ends, found, waiting = set(stops), set(), list(exits)
    while waiting:
        node = waiting.pop()
        if node not in found:
            found.add(node)
            waiting += [] if node in ends else node.all_input_nodes
    return found


def _exported(module: Any, kept: Sequence[Any], entries: Sequence[Any], exits: Sequence[Any], sizes: Sizes) -> Any:
    """A program of the nodes kept, which takes the entries and, behind them, the inputs among these; `sizes` are the ranges of free ones."""
    taken = [*entries, *(node for node in kept if node.op == "placeholder" and node not in entries)]
    graph = torch.fx.Graph()
    made = {node: graph.placeholder(node.name) for node in taken}
    for node in kept:
        if node not in made:
            made[node] = graph.node_copy(node, lambda one: made[one])
    graph.output(tuple(made[node] for node in exits) if len(exits) > 1 else made[exits[0]])
    part = torch.fx.GraphModule(module, graph)
    named = {name: _named(place, *limits) for place, (name, limits) in enumerate(sizes.items())}
    examples, free = zip(*(_example(node.meta["val"], named) for node in taken), strict=True)
    return torch.export.export(part, tuple(examples), dynamic_shapes=tuple(free))


def _named(place: int, least: int, most: Any) -> Any:
    """A free size of a range, as torch.export takes it."""
    limit = {"max": int(most)} if str(most).isdecimal() else {}
    return torch.export.Dim(f"size{place}", min=least, **limit)


def _example(value: Any, named: Mapping[str, Any]) -> tuple[torch.Tensor, dict[int, Any]]:
    """Zeros like a traced value, and its free sizes; one that is computed of others is left to torch."""
    free = {
        axis: named.get(str(size.node.expr), torch.export.Dim.AUTO)
        for axis, size in enumerate(value.shape)
        if not isinstance(size, int)
    }
    sizes = [size if isinstance(size, int) else max(_LEAST, int(size.node.hint or 0)) for size in value.shape]
    return torch.zeros(sizes, dtype=value.dtype), free


def _unique(nodes: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(nodes))
