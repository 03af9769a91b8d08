"""Slice, Split and Gather: indices along an axis, in order."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.inward import moved
from safeconvert.prove.axioms.reordered import shuffled
from safeconvert.prove.axioms.same import same
from safeconvert.prove.axioms.wrapped import unwrapped
from safeconvert.prove.kernel.layout import Groups, Value
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Constant, Refused, Store, Term

_WITHIN = "a Slice begins and ends within the axis, or at its end however long it is"
_ENDLESS = 2**31 - 1


def taken(store: Store, value: Value, axis: int, indices: range) -> Value:
    """Some indices along one axis of a tensor. Raises Refused where the axis has a length of 1, or there are none."""
    AXIOM.use(store)
    if indices == range(value.shape[axis]):
        return value
    group = value.groups[axis]
    if not group or not len(indices):
        raise Refused("indices along an axis of length 1, or none")
    if len(group) > 1:
        return _of_several(store, value, axis, indices)
    made = _taken(store, value.term, group[0], indices)
    return Value(made.term, tuple(tuple(a for axis in group for a in made.groups[axis]) for group in value.groups))


def _taken(store: Store, term: Term, axis: int, indices: range) -> Value:
    """Some indices along one axis of a term, as a tensor with an axis for each of the term's."""
    if indices == range(term.shape[axis]):
        return Value(term, tuple((a,) for a in range(len(term.shape))))
    found = moved(store, term, axis, indices, taken)
    if found is not None:
        return found
    stays = len(indices) > 1
    shape = [len(indices) if a == axis else size for a, size in enumerate(term.shape) if a != axis or stays]
    setting = (axis, indices.start, indices.step if stays else 1, len(indices))
    groups = tuple((a - (not stays and a > axis),) if a != axis or stays else () for a in range(len(term.shape)))
    return Value(store.term("take", shape, (term,), setting), groups)


def _of_several(store: Store, value: Value, axis: int, indices: range) -> Value:
    """Indices along an axis that several are merged in: whole rows of the first of these, or a part of one row, else across rows."""
    first, *rest = value.groups[axis]
    row = math.prod(value.term.shape[a] for a in rest)
    apart = Value(value.term, (*value.groups[:axis], (first,), tuple(rest), *value.groups[axis + 1 :]))
    start, count = indices.start, len(indices)
    if indices.step != 1 or ((start % row or count % row) and start // row != (start + count - 1) // row):
        return _across(store, value, axis, indices)
    whole = range(start // row, start // row + max(count // row, 1))
    made = taken(store, apart, axis, whole)
    if count < row:
        made = taken(store, made, axis + 1, range(start % row, start % row + count))
    groups = made.groups
    return Value(made.term, (*groups[:axis], groups[axis] + groups[axis + 1], *groups[axis + 2 :]))


def _across(store: Store, value: Value, axis: int, indices: range) -> Value:
    """Indices along an axis that several are merged in, which begin or end within a row: along the merged axis, as they stand."""
    term, group = value.term, value.groups[axis]
    lead = [a for a in range(len(term.shape)) if a not in group]
    numbers = {a: number for number, a in enumerate(lead)}
    stays = len(indices) > 1
    shape = [*(term.shape[a] for a in lead), *([len(indices)] if stays else [])]
    setting = (group, indices.start, indices.step if stays else 1, len(indices))
    made = (len(lead),) if stays else ()
    groups: Groups = tuple(made if n == axis else tuple(numbers[a] for a in g) for n, g in enumerate(value.groups))
    return Value(store.term("take across", shape, (term,), setting), groups)


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
        AXIOM.require(n.store, _WITHIN, all(_within(bound, value.shape[index]) for bound in (start, end)))
        value = taken(n.store, value, index, range(*slice(start, end, step).indices(value.shape[index])))
    return [value]


def _within(bound: int, size: int) -> bool:
    """Whether a bound is a place of an axis, either of its ends, or the largest or smallest number that there is."""
    return -size - 1 <= bound <= size or abs(bound) >= _ENDLESS


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
    if indices is None or sum(size > 1 for size in indices.shape) > 1:
        raise Refused("Gather: of many axes")
    made = shuffled(n.store, value, axis, indices) if indices.ndim == 1 else None
    if made is None:
        made = taken(n.store, value, axis, _evenly(indices, value.shape[axis]))
    if indices.ndim == 1:
        return [made]
    ends = made.groups[:axis], made.groups[axis + 1 :]
    at = tuple(made.groups[axis] if size > 1 else () for size in indices.shape)
    return [Value(made.term, (*ends[0], *at, *ends[1]))]


def _evenly(indices: Array, size: int) -> range:
    """Numbers at even distances along an axis of a size, counted from its end where they are negative. Raises Refused for others."""
    numbers = [int(index) + (size if index < 0 else 0) for index in indices.reshape(-1)]
    if not numbers:
        raise Refused("no places")
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 1
    wanted = range(numbers[0], numbers[-1] + (1 if step > 0 else -1), step or 1)
    if list(wanted) != numbers or not all(0 <= number < size for number in numbers):
        raise Refused("places at uneven distances")
    return wanted


def _points(n: Node) -> list[Value]:
    """GatherND by a constant grid, in which each number of a point is counted along an axis of its own, or always the same; in batches, element by element."""
    if n.attributes["batch_dims"]:
        return _batched(n)
    made, points = n.value(), n.constant(1)
    if points is None:
        raise Refused("GatherND: by computed places")
    count, rank = points.shape[-1], points.ndim - 1
    owners: list[int | None] = []
    for column in range(count):
        numbers = points[..., column]
        along = [axis for axis in range(rank) if (numbers != numbers.take([0], axis)).any()]
        if len(along) > 1:
            raise Refused("GatherND: a number that varies along several axes")
        first = (
            numbers.reshape(-1)[:1]
            if not along
            else np.moveaxis(numbers, along[0], -1).reshape(-1, numbers.shape[along[0]])[0]
        )
        made = taken(n.store, made, column, _evenly(first, made.shape[column]))
        owners.append(along[0] if along else None)
    held = [axis for axis in range(rank) if points.shape[axis] > 1]
    if sorted(owner for owner in owners if owner is not None) != held:
        raise Refused("GatherND: points that are there several times")
    grid = tuple(made.groups[owners.index(axis)] if axis in held else () for axis in range(rank))
    return [Value(made.term, (*grid, *made.groups[count:]))]


def _rows(n: Node) -> list[Value]:
    table = n.constant(0)
    if table is None or n.attributes["axis"] != 0 or table.ndim != 2:
        raise Refused("Gather: no rows of a table")
    AXIOM.use(n.store)
    index = unwrapped(n.store, n.value(1), len(table))
    columns = table.shape[1:] if table.shape[1] != 1 else ()
    made = n.store.term("rows", index.term.shape + columns, (index.term,), (), [Constant(table)])
    groups: Groups = (*index.groups, (len(index.term.shape),) if columns else ())
    return [Value(made, groups)] if math.prod(table.shape) else []


def _elements(n: Node) -> list[Value]:
    """GatherElements, which counts negative places from the end itself."""
    data, index = n.operands
    if not isinstance(index, Value) or data is None:
        raise Refused("GatherElements: by constant places")
    plain = unwrapped(n.store, index, data.shape[n.attributes["axis"]])
    return same(replace(n, operands=(data, plain)))


def _batched(n: Node) -> list[Value]:
    """GatherND whose points are one number along the last axis, all before it being batches."""
    data, index, last = n.operands[0], n.value(1), n.attributes["batch_dims"]
    ranks = len(data.shape) if data is not None else 0, len(index.groups) - 1
    if ranks != (last + 1, last + 1) or index.shape[-1] != 1:
        raise Refused("GatherND: in batches of more than elements")
    AXIOM.use(n.store)
    operands = (data, Value(index.term, index.groups[:-1]))
    return _elements(replace(n, operator=_ELEMENTS, attributes={"axis": last}, operands=operands))


_ELEMENTS = ("", "GatherElements", 13)
AXIOM = Axiom(
    "places along an axis",
    "Slice, Split, and Gather at even distances take places along one axis, whatever the order of the others, also where it is several in one; GatherND by a grid takes them along "
    "several, one after another, and in batches of single elements is GatherElements; Gather of rows of a table by computed numbers commutes with any order of these.",
    (_WITHIN,),
    {"Slice": _slice, "Split": _split, "Gather": _gather, "GatherElements": _elements, "GatherND": _points},
)
