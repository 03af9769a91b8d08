"""Both graphs read whole into terms of one store, by which cut points are found. No claim rests on it: what counts is what the checker says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from safeconvert.graph.view import GraphView
from safeconvert.prove.checker.graph import Graph, made
from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.terms import Constant, Refused, Store, Term

_LARGE = 1 << 12
"""Numbers of a constant from which on it is held in float32."""


class Lean(Store):
    """A store that rounds large constants, of which a net has two of each weight: in float64 they are gigabytes, and near is what it looks for."""

    def term(
        self, operator: str, shape: Sequence[int], operands: Sequence[Term] = (), setting: tuple[Any, ...] = (),
        constants: Sequence[Constant] = (),
    ) -> Term:  # fmt: skip
        """As `Store.term`."""
        return super().term(operator, shape, operands, setting, [_rounded(one) for one in constants])


def _rounded(one: Constant) -> Constant:
    if one.size is None or one.values.size < _LARGE or one.values.dtype != np.float64:
        return one
    values = one.values.astype(np.float32)
    if not np.isfinite(values).all():
        return one
    return Constant(values, values if one.size is one.values else one.size)


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
