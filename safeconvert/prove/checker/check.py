"""A proof re-verified: by induction over its cut points, source and target are one function.

A proof states how inputs and outputs of two graphs correspond, at which sizes, and lists cut points in order: a tensor of each graph that
hold the same numbers, in orders of axes that the step says. A step is right if both parts, between earlier cut points that the step names and this
one, are the same term, using the axioms that it names and no other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from safeconvert.prove.checker.graph import Graph, part, read
from safeconvert.prove.kernel.layout import Groups, Value, canonical
from safeconvert.prove.kernel.node import Shape
from safeconvert.prove.kernel.terms import NEAR, Refused, Store

SCHEMA = 1
_OTHER = 192
"""Where a size is free, this one is checked too, or the next where the first is even: windows, places and means that are the same at one size by chance are not at both."""


@dataclass(frozen=True)
class Cut:
    """Two tensors of the same numbers: sizes of common axes, and which of them each tensor's axes hold."""

    source: str
    target: str
    sizes: Shape
    ours: Groups
    theirs: Groups


@dataclass(frozen=True)
class Checked:
    """What a proof shows: the shapes of the source's inputs, the largest difference of constants, and how many steps use an axiom."""

    sizes: Mapping[str, Shape]
    apart: float
    axioms: Mapping[str, int]


@dataclass(frozen=True)
class Problem:
    """Both graphs, and what corresponds: the inputs as cut points, and each output with its order of axes."""

    source: Graph
    target: Graph
    inputs: tuple[Cut, ...]
    outputs: tuple[tuple[str, str, tuple[int, ...] | None], ...]


def check(source: onnx.ModelProto, target: onnx.ModelProto, proof: Mapping[str, Any]) -> Checked:
    """Verify a proof, from both graphs alone. Raises Refused, naming the step, for one that does not hold."""
    try:
        with np.errstate(all="ignore"):  # constants that overflow are not finite, and refused as such
            if proof["schema"] != SCHEMA:
                raise Refused(f"a proof of schema {proof['schema']}, which this version does not read")
            if any(not all(fixed) for model in (source, target) for fixed in _fixed(model).values()):
                _check(opened(source, target, proof["statement"], far=True), proof["steps"], far=True)
            return _check(opened(source, target, proof["statement"]), proof["steps"])
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise Refused(f"the proof is damaged ({type(error).__name__}: {error})") from error


def _check(problem: Problem, steps: Sequence[Mapping[str, Any]], far: bool = False) -> Checked:
    cuts, apart, axioms = list(problem.inputs), 0.0, dict[str, int]()
    for number, step in enumerate(steps):
        try:
            groups = tuple(tuple(map(tuple, step[side])) for side in ("source_axes", "target_axes"))
            claimed = Cut(step["source"], step["target"], tuple(step["sizes"]), *groups)
            store = Store(frozenset(step["axioms"]))
            found, difference = derived(problem, cuts, step["from"], (claimed.source, claimed.target), store)
            if not far and found != claimed:
                raise Refused("the axes are not as the step says")
            if sorted(store.used) != sorted(step["axioms"]):
                raise Refused(f"needs only the axioms {sorted(store.used)}")
            if not (far or difference <= step["apart"] <= 2 * NEAR):
                raise Refused(f"constants are {difference:.3g} apart, and the step says {step['apart']}")
        except Refused as error:
            raise Refused(f"step {number}, {step['source']} and {step['target']}: {error}") from error
        cuts.append(found)
        apart = max(apart, step["apart"])
        for name in store.used:
            axioms[name] = axioms.get(name, 0) + 1
    shown = [output for output in problem.outputs if not any(_gives(cut, *output) for cut in cuts)]
    if shown or not problem.outputs:
        raise Refused(f"no step gives the output {shown[0][0] if shown else ''} in its order of axes")
    return Checked({n: problem.source.shapes[n] for n in problem.source.inputs}, apart, dict(sorted(axioms.items())))


def opened(source: onnx.ModelProto, target: onnx.ModelProto, stated: Mapping[str, Any], far: bool = False) -> Problem:
    """Both graphs at the sizes of a statement, or, far from these, at others where they are free.

    A statement of its sizes alone claims nothing of others. Raises Refused where it leaves out an input or output, or does not fit them.
    """
    cuts, fixed = [], (_fixed(source), _fixed(target))
    here, there = [(dict[str, Shape](), dict[str, Shape]()) for _ in range(2)]  # of each side
    for one in stated["inputs"]:
        order, shape = _order(one["order"], len(one["shape"])), tuple(one["shape"])
        names = one["source"], one["target"]
        both = [fixed[0][names[0]][axis] or fixed[1][names[1]][order.index(axis)] for axis in range(len(shape))]
        other = tuple(n if b or stated.get("alone") else _OTHER + 1 - n % 2 for n, b in zip(shape, both, strict=True))
        shape, other = (other, shape) if far else (shape, other)
        held, groups = canonical(shape)
        cuts.append(Cut(*names, held, groups, tuple(groups[axis] for axis in order)))
        for sizes, all_sizes in ((shape, here), (other, there)):
            all_sizes[0][names[0]], all_sizes[1][names[1]] = sizes, tuple(sizes[axis] for axis in order)
    ours, theirs = read(source, here[0], there[0]), read(target, here[1], there[1])
    outputs = [(one["source"], one["target"], one["order"] and tuple(one["order"])) for one in stated["outputs"]]
    for graph, side in ((ours, 0), (theirs, 1)):
        named = sorted((cut.source, cut.target)[side] for cut in cuts), sorted(output[side] for output in outputs)
        if named != (sorted(graph.inputs), sorted(graph.outputs)):
            raise Refused(f"the statement is not of all inputs and outputs of the {('source', 'target')[side]}")
    if any(ours.kinds[cut.source] != theirs.kinds[cut.target] for cut in cuts):
        raise Refused("inputs of other types")
    return Problem(ours, theirs, tuple(cuts), tuple(outputs))


def derived(
    problem: Problem, cuts: Sequence[Cut], numbers: Sequence[int], tensors: tuple[str, str], store: Store
) -> tuple[Cut, float]:
    """A cut point that follows from earlier ones, and how far constants are apart. Raises Refused where it does not."""
    ours: dict[str, Value] = {}
    theirs: dict[str, Value] = {}
    for number in sorted(set(numbers)):
        if not 0 <= number < len(cuts):
            raise Refused(f"names the cut point {number}, which is none before it")
        term = store.term("cut", cuts[number].sizes, setting=(number,))
        ours[cuts[number].source] = Value(term, cuts[number].ours)
        theirs[cuts[number].target] = Value(term, cuts[number].theirs)
    one = part(problem.source, store, tensors[0], ours)
    apart, store.apart = store.apart, 0.0
    two = part(problem.target, store, tensors[1], theirs)
    if one.term is not two.term or problem.source.kinds[tensors[0]] != problem.target.kinds[tensors[1]]:
        raise Refused(f"other terms: {one.term.operator} and {two.term.operator}")
    return Cut(*tensors, one.term.shape, one.groups, two.groups), apart + store.apart


def _fixed(model: onnx.ModelProto) -> dict[str, list[bool]]:
    """By input, which of its sizes the graph fixes."""
    return {value.name: [dim.dim_value > 0 for dim in value.type.tensor_type.shape.dim] for value in model.graph.input}


def _gives(cut: Cut, source: str, target: str, order: tuple[int, ...] | None) -> bool:
    same = (cut.source, cut.target) == (source, target)
    return same and cut.theirs == tuple(cut.ours[axis] for axis in _order(order, len(cut.ours)))


def _order(order: Sequence[int] | None, rank: int) -> tuple[int, ...]:
    found = tuple(range(rank)) if order is None else tuple(order)
    if sorted(found) != list(range(rank)):
        raise Refused(f"{list(found)} is no order of {rank} axes")
    return found
