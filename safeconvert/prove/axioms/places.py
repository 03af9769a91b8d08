"""Slice, Split and Gather: places along an axis, in order."""

from __future__ import annotations

import math

import numpy as np

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Groups, Value
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Constant, Refused, Store


def taken(store: Store, value: Value, axis: int, indices: range) -> Value:
    """Some places along one axis."""
    AXIOM.use(store)
    if indices == range(value.shape[axis]):
        return value
    if len(value.groups[axis]) != 1 or not len(indices):
        raise Refused("places along an axis that is several")
    own, stays = value.groups[axis][0], len(indices) > 1
    shape = [len(indices) if a == own else size for a, size in enumerate(value.term.shape) if a != own or stays]
    setting = (own, indices.start, indices.step if stays else 1, len(indices))
    made = store.term("take", shape, (value.term,), setting)
    groups = (tuple(a - (not stays and a > own) for a in group if stays or a != own) for group in value.groups)
    return Value(made, tuple(groups))


def _slice(n: Node) -> list[Value]:
    value = n.value()
    starts, ends = n.constant(1), n.constant(2)
    if starts is None or ends is None:
        raise Refused("Slice: places as attributes")
    given = [n.constant(3), n.constant(4)]
    axes = given[0] if given[0] is not None else np.arange(starts.size)
    steps = given[1] if given[1] is not None else np.ones(starts.size, np.int64)
    for start, end, axis, step in zip(
        *(array.reshape(-1).tolist() for array in (starts, ends, axes, steps)), strict=True
    ):
        index = axis % len(value.groups)
        value = taken(n.store, value, index, range(*slice(start, end, step).indices(value.shape[index])))
    return [value]


def _split(n: Node) -> list[Value]:
    axis = n.attributes.get("axis", 0) % len(n.value().groups)
    made, start = [], 0
    for shape in n.shapes:
        if shape is None:
            raise Refused("Split: an output is left out")
        made.append(taken(n.store, n.value(), axis, range(start, start + shape[axis])))
        start += shape[axis]
    if start != n.value().shape[axis]:
        raise Refused("Split: parts that are not the whole")
    return made


def _gather(n: Node) -> list[Value]:
    if not isinstance(n.operands[0], Value):
        return _rows(n)
    value, indices = n.value(), n.constant(1)
    axis = n.attributes["axis"] % len(value.groups)
    if indices is None or indices.ndim > 1 or not indices.size:
        raise Refused("Gather: of many axes")
    size = value.shape[axis]
    numbers = [int(index) + (size if index < 0 else 0) for index in indices.reshape(-1)]
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 1
    wanted = range(numbers[0], numbers[-1] + (1 if step > 0 else -1), step or 1)
    if list(wanted) != numbers or not all(0 <= number < size for number in numbers):
        raise Refused("Gather: places at uneven distances")
    made = taken(n.store, value, axis, wanted)
    return [made if indices.ndim else Value(made.term, made.groups[:axis] + made.groups[axis + 1 :])]


def _rows(n: Node) -> list[Value]:
    table, index = n.constant(0), n.value(1)
    if table is None or n.attributes["axis"] != 0 or table.ndim != 2:
        raise Refused("Gather: no rows of a table")
    AXIOM.use(n.store)
    columns = table.shape[1:] if table.shape[1] != 1 else ()
    made = n.store.term("rows", index.term.shape + columns, (index.term,), (), [Constant(table)])
    groups: Groups = (*index.groups, (len(index.term.shape),) if columns else ())
    return [Value(made, groups)] if math.prod(table.shape) else []


AXIOM = Axiom(
    "places along an axis",
    "Slice, Split, and Gather at even distances take places along one axis, whatever the order of the others; Gather of rows of a table by computed "
    "numbers commutes with any order of these.",
    (),
    {"Slice": _slice, "Split": _split, "Gather": _gather},
)
