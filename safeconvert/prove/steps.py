"""The steps of a proof: for each cut point the earlier ones that it follows from, chosen near, and farther back where that is not enough."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import onnx

from safeconvert.graph.stored import by_content
from safeconvert.prove.checker.check import SCHEMA, Cut, Problem, derived
from safeconvert.prove.checker.graph import Graph, between
from safeconvert.prove.kernel.terms import Refused, Store

_WIDER = 5
"""How often a region that is not proven is begun farther back."""
_LARGEST = 400
"""Nodes of both sides in a region that is begun farther back; beyond that the time would no longer grow with the number of nodes."""


def steps_of(
    problem: Problem, pairs: Sequence[tuple[str, str]], allowed: frozenset[str] | None
) -> list[dict[str, Any]]:
    """Steps for those pairs of tensors that can be derived from earlier ones.

    Args:
        problem: both graphs.
        pairs: tensors of source and target that may be equal, in the target's order.
        allowed: axioms that may be used; None for all.
    """
    cuts = list(problem.inputs)
    known = ({cut.source: n for n, cut in enumerate(cuts)}, {cut.target: n for n, cut in enumerate(cuts)})
    steps = []
    for pair in pairs:
        found = _step(problem, cuts, known, pair, allowed)
        if found is not None:
            step, cut = found
            for names, name in zip(known, pair, strict=True):
                names.setdefault(name, len(cuts))
            cuts.append(cut)
            steps.append(step)
    return steps


def document(
    source: onnx.ModelProto, target: onnx.ModelProto, statement: Mapping[str, Any], steps: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """The proof object."""
    forms = {"source": form_digest(source), "target": form_digest(target)}
    return {"schema": SCHEMA, "forms": forms, "statement": dict(statement), "steps": [dict(step) for step in steps]}


def form_digest(model: onnx.ModelProto) -> str:
    """SHA-256 of a graph without what only describes it; of weights that stay in their file the digest counts, wherever they lie."""
    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    for field in ("producer_name", "producer_version", "doc_string", "model_version", "metadata_props", "domain"):
        bare.ClearField(field)
    graph = bare.graph
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        part.ClearField("doc_string")
        part.ClearField("metadata_props")
    return hashlib.sha256(by_content(bare)).hexdigest()


def _step(
    problem: Problem,
    cuts: Sequence[Cut],
    known: tuple[Mapping[str, int], Mapping[str, int]],
    pair: tuple[str, str],
    allowed: frozenset[str] | None,
) -> tuple[dict[str, Any], Cut] | None:
    """A step to a pair of tensors, with the nearest cut points that are enough."""
    barred: set[int] = set()
    first = len(problem.inputs)
    for _ in range(_WIDER):
        numbers: set[int] = set()
        nodes = 0
        try:
            for graph, names, tensor in zip((problem.source, problem.target), known, pair, strict=True):
                found, read = _border(
                    graph, {n: k for n, k in names.items() if k not in barred} if barred else names, tensor
                )
                numbers |= found
                nodes += read
            if barred and nodes > _LARGEST:
                return None
            store = Store(allowed)
            cut, apart = derived(problem, cuts, sorted(numbers), pair, store)
        except Refused:
            if not (numbers - barred - set(range(first))):
                return None
            barred |= {number for number in numbers if number >= first}
            continue
        step = {
            "source": cut.source, "target": cut.target, "sizes": list(cut.sizes), "source_axes": [list(g) for g in cut.ours],
            "target_axes": [list(g) for g in cut.theirs], "from": sorted(numbers), "axioms": sorted(store.used), "apart": _up(apart),
        }  # fmt: skip
        return step, cut
    return None


def _border(graph: Graph, known: Mapping[str, int], tensor: str) -> tuple[set[int], int]:
    """The cut points between which a tensor lies, and how many nodes are between."""
    if tensor in known:
        return {known[tensor]}, 0
    nodes = between(graph, tensor, known)
    return {known[name] for number in nodes for name in graph.nodes[number].input if name in known}, len(nodes)


def _up(apart: float) -> float:
    """Three digits, rounded up, so that another machine's last bit is no other proof."""
    if apart == 0:
        return 0.0
    digits = 2 - math.floor(math.log10(apart))
    return float(f"{math.ceil(apart * 10**digits) / 10**digits:.3g}")
