"""A part of a TFLite file as a file of its own: operators between tensors, by TFLite's own schema."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

from ai_edge_litert import schema_py_generated as schema

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.cut import Remainder
from safeconvert.errors import UnusableInput

from .._shared.part_between import between
from . import precision

_KINDS = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


def cut(request: Mapping[str, Any], begin: list[str], end: list[str], target: str) -> dict[str, Any]:
    """Write the operators between two ends; what is not in it. TFLite names tensors only, so that each end is where the cut is.

    Raises:
        UnusableInput: no such tensor, several of the name, a constant, or one that no output depends on.
    """
    path = ModelRequest.from_json(request).path
    model = precision.read(path)
    graph = model.subgraphs[0]
    makers = {int(number): index for index, operator in enumerate(graph.operators) for number in operator.outputs}
    read = [[int(number) for number in operator.inputs if number >= 0] for operator in graph.operators]
    entries = [_tensor(path, graph, name) for name in begin]
    exits = [_tensor(path, graph, name) for name in end] or [int(number) for number in graph.outputs]
    for number, name in zip(entries, begin, strict=True):
        if number not in makers and number not in graph.inputs:
            raise UnusableInput(f"{path}: {name} is a constant", "name a tensor that an operator gives")
    inside, reached = between(exits, entries, makers.get, read.__getitem__)
    for number, name in zip(entries, begin, strict=True):
        if number not in reached or number in exits:
            raise UnusableInput(f"{path}: no output of the part depends on {name}", "name a tensor before the outputs")
    front, _ = between(entries, (), makers.get, read.__getitem__)
    left = [(index, operator) for index, operator in enumerate(graph.operators) if index not in inside]
    told = {index: _told(model, graph, operator) for index, operator in left}
    graph.operators = [graph.operators[index] for index in sorted(inside)]
    graph.inputs = [*entries, *(int(one) for one in graph.inputs if int(one) in reached and int(one) not in entries)]
    graph.outputs = exits
    model.signatureDefs = None
    precision.write(model, target)
    before = tuple(told[index] for index, _ in left if index in front)
    behind = tuple(told[index] for index, _ in left if index not in front)
    return Remainder(before, behind, tuple(begin)).to_json()


def _tensor(path: str, graph: Any, name: str) -> int:
    names = [tensor.name.decode("utf-8", "replace") for tensor in graph.tensors]
    if names.count(name) == 1:
        return names.index(name)
    if name in names:
        raise UnusableInput(f"{path}: {names.count(name)} tensors are called {name}", "cut at another tensor")
    near = difflib.get_close_matches(name, names, n=1) or [one for one in names if name in one.split("/")][:1]
    raise UnusableInput(f"{path}: no tensor is called {name}", f"did you mean {near[0]}?" if near else "")


def _told(model: Any, graph: Any, operator: Any) -> str:
    code = model.operatorCodes[operator.opcodeIndex]
    kind = _KINDS.get(max(code.builtinCode, code.deprecatedBuiltinCode), "custom")
    return f"{graph.tensors[int(operator.outputs[0])].name.decode('utf-8', 'replace')} ({kind})"
