"""Are two ONNX graphs the same function? Finds cut points, and steps between them that the checker accepts.

Both graphs are read into terms of one store (`search`), node by node, by the axioms; tensors with one term are cut points that are tried. What is shown is what
`checker.check` says of the proof that is made of them, and nothing else: it starts from the two graphs again.

Free dimensions are given a prime each, the same in both graphs; a proof is for these sizes, and `Proof.sizes` says which. Where a graph computes with
sizes, as masks of sequences do, that shows nothing: then a proof is tried for the sizes of the run alone. Regions are local, so that the time grows
with the number of nodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import inliner

from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import TensorContract
from safeconvert.graph.stored import by_content
from safeconvert.graph.view import GraphView, tidy
from safeconvert.prove.axioms.loops import holds_graph
from safeconvert.prove.axioms.table import NEAR_BY, OFTEN
from safeconvert.prove.checker.check import Problem, check, opened
from safeconvert.prove.checker.graph import Graph
from safeconvert.prove.free_places import decided, decides, furthest, places
from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.search import Lean, Reading, read
from safeconvert.prove.sizes import given_sizes, sizes_of
from safeconvert.prove.steps import document, steps_of
from safeconvert.prove.unproven import Unproven, frontier

NOTHING_KNOWN = "nothing known"
_ATTEMPTS = ((OFTEN, True), (NEAR_BY, True), (None, True), (OFTEN, False), (None, False))
"""Which axioms are tried in turn (None: all), and whether only where both graphs, read whole by them, come to one term."""
_FEW = 4
"""Outputs of graphs with unrolled layers that are each derived from the inputs at once: from near cut points, each step would unroll the layers anew."""


@dataclass(frozen=True)
class Proof:
    """What was shown.

    Attributes:
        proven: whether every output is, by the checker's word.
        apart: the largest relative difference of constants that were taken for one another.
        axioms: in how many steps each axiom is used.
        sizes: by input of the source the shape that the proof is for.
        alone: whether it is for these sizes alone, where the graphs take others too.
        unproven: where the target leaves what is known; empty where all is proven.
        same_file: whether both graphs are equal to the byte, so that there was nothing to prove.
        document: the proof object; {} where there is none.
        reason: why there is none; "" otherwise.
    """

    proven: bool
    apart: float
    axioms: Mapping[str, int]
    sizes: Mapping[str, tuple[int, ...]]
    alone: bool
    unproven: tuple[Unproven, ...]
    same_file: bool
    document: Mapping[str, Any]
    reason: str


def prove(source: onnx.ModelProto, target: onnx.ModelProto, contract: Contract) -> Proof:
    """Prove that a target graph is a source graph under a contract of their inputs and outputs, or say where that ends.

    Args:
        source, target: the graphs.
        contract: which tensors correspond, by the names that the graphs give them, and in what order of axes; where sizes are free and nothing is
            shown for all, the shapes of its inputs are those that a proof is tried for alone.
    """
    whole = _proven(source, target, contract, sizes_of(source, target, contract.inputs), False)
    given = given_sizes(source, target, contract.inputs)
    if whole.proven or not given:
        return whole
    alone = _proven(source, target, contract, given, True)
    return alone if alone.proven else whole


def _proven(
    source: onnx.ModelProto, target: onnx.ModelProto, contract: Contract, sizes: Mapping[str, tuple[int, ...]], alone: bool
) -> Proof:  # fmt: skip
    """A proof at some sizes, which are primes where they are free, or for these sizes alone."""
    statement = {
        "alone": alone,
        "inputs": [_stated(t) | {"shape": list(sizes[t.source.name])} for t in contract.inputs],
        "outputs": [_stated(t) for t in contract.outputs],
    }
    counts = [len(model.graph.node) for model in (source, target)]
    same = counts[0] == counts[1] and by_content(source) == by_content(target)
    try:
        problem = opened(source, target, statement)
    except Refused as error:
        return Proof(False, 0.0, {}, sizes, alone, (), same, {}, str(error))
    views = tidy(_opened(source, problem.source)), tidy(_opened(target, problem.target))
    reason = ""
    for allowed, certain in _ATTEMPTS:
        with np.errstate(all="ignore"):  # constants that overflow: no axiom takes them
            pairs, whole, unproven = _compared(views, problem, contract.outputs, allowed)
            if certain and not whole:
                continue
            steps = steps_of(problem, pairs, allowed)
        made = document(source, target, statement, steps)
        try:
            shown = check(source, target, made)
            if not (alone or same):
                _require_all_sizes(source, target, problem, statement)
        except Refused as error:
            reason = str(error)
            continue
        return Proof(True, shown.apart, shown.axioms, shown.sizes, alone, (), same, made, "")
    return Proof(False, 0.0, {}, sizes, alone, unproven, same, {}, reason)


def _require_all_sizes(
    source: onnx.ModelProto, target: onnx.ModelProto, problem: Problem, statement: Mapping[str, Any]
) -> None:
    """Raises Refused where a graph names a place along a free axis, or decides by a free size: what is shown at the sizes of the proof is not so at others."""
    named = places(problem.source), places(problem.target)
    if not any(named) and not any(map(decides, (problem.source, problem.target))):
        return
    far = opened(source, target, statement, far=True)
    furthest_ones = (furthest(named[0], problem.source, far.source), furthest(named[1], problem.target, far.target))
    if any(furthest_ones):
        place = max(furthest_ones)
        raise Refused(
            f"a constant names the place {place} of an axis whose size is free; of smaller sizes nothing is shown"
        )
    by = decided(problem.source, far.source) or decided(problem.target, far.target)
    if by:
        raise Refused(f"{by} decides by a size that is free; of sizes where it decides otherwise nothing is shown")


def _compared(
    views: tuple[GraphView, GraphView],
    problem: Problem,
    outputs: Sequence[TensorContract],
    allowed: frozenset[str] | None,
) -> tuple[list[tuple[str, str]], bool, tuple[Unproven, ...]]:
    """Pairs of tensors to be tried as cut points, whether all outputs are one term in both graphs, and where that ends.

    The terms are not kept: of a large model they are gigabytes.
    """
    ours, theirs = _readings(views, problem, allowed)
    pairs = _pairs(ours, theirs, outputs)
    ends = pairs[len(pairs) - len(outputs) :]
    whole = all(_equal(ours, theirs, *pair) for pair in ends)
    few = allowed is None and len(ends) <= _FEW and whole
    return ends if few else pairs, whole, tuple(frontier(ours, theirs))


def _equal(source: Reading, target: Reading, ours: str, theirs: str) -> bool:
    """Whether two tensors are one term."""
    return ours in source.values and theirs in target.values and source.values[ours].term is target.values[theirs].term


def _stated(tensor: TensorContract) -> dict[str, Any]:
    order = None if tensor.permutation is None else list(tensor.permutation)
    return {"source": tensor.source.name, "target": tensor.target.name, "order": order}


def _readings(
    views: tuple[GraphView, GraphView], problem: Problem, allowed: frozenset[str] | None
) -> tuple[Reading, Reading]:
    """Both graphs, tidied, in terms of one store, by some axioms (None: all)."""
    store = Lean(allowed)
    inputs, theirs = {}, {}
    for number, cut in enumerate(problem.inputs):
        term = store.term("cut", cut.sizes, setting=(number,))
        inputs[cut.source], theirs[cut.target] = Value(term, cut.ours), Value(term, cut.theirs)
    return read(store, views[0], problem.source, inputs), read(store, views[1], problem.target, theirs)


def _opened(model: onnx.ModelProto, graph: Graph) -> onnx.ModelProto:
    """A model with the nodes that the checker reads: functions inlined, loops step by step."""
    plain = inliner.inline_local_functions(model) if model.functions else model
    if not any(holds_graph(node) for node in plain.graph.node):
        return plain
    made = onnx.ModelProto()
    made.CopyFrom(plain)
    del made.graph.node[:]
    made.graph.node.extend(graph.nodes)
    return made


def _pairs(source: Reading, target: Reading, outputs: Sequence[TensorContract]) -> list[tuple[str, str]]:
    """Tensors of one term, one of each graph, in the target's order; the outputs behind them."""
    known: dict[int, str] = {}
    for name, value in source.values.items():
        known.setdefault(value.term.number, name)
    found: dict[int, tuple[str, str]] = {}
    for name, value in target.values.items():
        if value.term.number in known and value.term.operator != "cut":
            found.setdefault(value.term.number, (known[value.term.number], name))
    ends = [(tensor.source.name, tensor.target.name) for tensor in outputs]
    return [*(pair for pair in found.values() if pair not in ends), *ends]
