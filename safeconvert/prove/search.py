"""Both graphs read whole into terms of one store, by which cut points are found. No claim rests on it: what counts is what the checker says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from safeconvert.graph.view import GraphView
from safeconvert.prove.checker.graph import Graph, made
from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.terms import Refused, Store


@dataclass(frozen=True)
class Reading:
    """What the tensors of a graph are.

    Attributes:
        view: the graph, tidied.
        values: by tensor; absent where nothing could be known.
        constant: names of tensors that do not depend on the inputs.
    """

    view: GraphView
    values: Mapping[str, Value]
    constant: frozenset[str]


def read(store: Store, view: GraphView, graph: Graph, inputs: Mapping[str, Value]) -> Reading:
    """Read a tidied graph whose inputs have concrete shapes, node after node.

    Args:
        store: of both graphs.
        view: the graph, tidied.
        graph: what the checker tells of its tensors.
        inputs: what each input is.
    """
    constants = {**graph.constants, **view.constants}
    tidied = replace(graph, constants=constants)
    values: dict[str, Value] = dict(inputs)
    for node in view.nodes:
        if all(name in constants for name in node.output if name):
            continue
        try:
            values.update(made(tidied, store, node, values))
        except Refused:
            continue  # what reads it is unknown as well
    return Reading(view, values, frozenset(constants))
