"""Operators along one axis, which commute with any order of the others: Softmax, Concat, Slice, Split, Pad, Gather of one place."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from safeconvert.prove.search.forms.pairing import pairing
from safeconvert.prove.search.step import Step
from safeconvert.prove.search.terms import TermStore
from safeconvert.prove.search.values import Groups, Value


def softmax(step: Step) -> list[Value] | None:
    """Softmax and LogSoftmax along one axis (opset 13 on)."""
    value = step.value(0)
    if value is None or "axis" not in step.attributes or step.attributes.get("flattens"):
        return None
    axes = tuple(sorted(value.groups[int(step.attributes["axis"]) % len(value.groups)]))
    return [Value(step.store.term(step.node.op_type, value.term.shape, (value.term.number,), (axes,)), value.groups)]


def concat(step: Step) -> list[Value] | None:
    """Concat of tensors (constants too) that hold their axes in one order."""
    values = [step.as_value(number) for number in range(len(step.operands))]
    if step.shape is None or any(value is None for value in values):
        return None
    axis = int(step.attributes["axis"]) % len(step.shape)
    known = [value for value in values if value is not None]
    first = next((value for value in known if value.term.operator != "constant"), known[0])
    if any(len(value.groups[axis]) > 1 for value in known):
        return None
    # the joined axis of every part is left out of what has to correspond, and comes last in the term
    lead = [a for a in range(len(first.term.shape)) if a not in first.groups[axis]]
    numbers = {a: index for index, a in enumerate(lead)}
    joined = len(lead)
    setting = []
    for value in known:
        found = _places(first, value, axis, numbers, joined)
        if found is None:
            return None
        setting.append(found)
    shape = [first.term.shape[a] for a in lead] + ([step.shape[axis]] if step.shape[axis] != 1 else [])
    groups: Groups = tuple(
        ((joined,) if step.shape[axis] != 1 else ()) if number == axis else tuple(numbers[a] for a in group)
        for number, group in enumerate(first.groups)
    )
    term = step.store.term("concat", shape, [value.term.number for value in known], tuple(setting))
    return [Value(term, groups)]


def _places(first: Value, value: Value, axis: int, numbers: dict[int, int], joined: int) -> tuple[int, ...] | None:
    """For each canonical axis of a part the axis of the whole that it lies along."""
    found: dict[int, int] = {}
    for number, (ours, theirs) in enumerate(zip(first.groups, value.groups, strict=True)):
        if number == axis:
            found.update(dict.fromkeys(theirs, joined))
            continue
        if [first.term.shape[a] for a in ours] != [value.term.shape[a] for a in theirs]:
            return None
        found.update({theirs[index]: numbers[a] for index, a in enumerate(ours)})
    return tuple(found[a] for a in range(len(value.term.shape)))


def slices(step: Step) -> list[Value] | None:
    """Slice by constants."""
    value = step.value(0)
    if value is None or step.shape is None:
        return None
    given = [step.constant(number) for number in range(1, 5)]
    if (
        given[0] is None
        or given[1] is None
        or any(step.value(number) is not None for number in range(1, len(step.operands)))
    ):
        return None
    starts, ends = (array.reshape(-1).tolist() for array in given[:2] if array is not None)
    axes = given[2].reshape(-1).tolist() if given[2] is not None else list(range(len(starts)))
    steps = given[3].reshape(-1).tolist() if given[3] is not None else [1] * len(starts)
    made: Value | None = value
    for start, end, axis, stride in zip(starts, ends, axes, steps, strict=True):
        if made is not None:
            axis %= len(made.groups)
            made = taken(step.store, made, axis, range(*slice(start, end, stride).indices(made.shape[axis])))
    return None if made is None else [made]


def split(step: Step) -> list[Value] | None:
    """Split into known sizes."""
    value = step.value(0)
    if value is None or any(shape is None for shape in step.shapes):
        return None
    axis = int(step.attributes.get("axis", 0)) % len(value.groups)
    made, start = [], 0
    for shape in step.shapes:
        assert shape is not None
        part = taken(step.store, value, axis, range(start, start + shape[axis]))
        if part is None:
            return None
        start += shape[axis]
        made.append(part)
    return made


def gather(step: Step) -> list[Value] | None:
    """Gather of one constant place, or of places that are equally far apart."""
    value, places = step.value(0), step.constant(1)
    if value is None or places is None or places.size == 0 or places.ndim > 1:
        return None
    axis = int(step.attributes.get("axis", 0)) % len(value.groups)
    size = value.shape[axis]
    numbers = [int(index) % size for index in places.reshape(-1)]
    stride = numbers[1] - numbers[0] if len(numbers) > 1 else 1
    if stride == 0 or any(b - a != stride for a, b in pairwise(numbers)):
        return None
    made = taken(step.store, value, axis, range(numbers[0], numbers[-1] + (1 if stride > 0 else -1), stride))
    if made is not None and places.ndim == 0:
        made = Value(made.term, made.groups[:axis] + made.groups[axis + 1 :])
    return None if made is None else [made]


def taken(store: TermStore, value: Value, axis: int, places: range) -> Value | None:
    """Some places along one axis, in order."""
    size = value.shape[axis]
    if places == range(size):
        return value
    if len(value.groups[axis]) != 1 or not len(places):
        return None
    [own] = value.groups[axis]
    stays = len(places) > 1
    shape = [len(places) if a == own else s for a, s in enumerate(value.term.shape) if a != own or stays]
    term = store.term(
        "take", shape, (value.term.number,), (own, (places.start, places.step if stays else 1, len(places)))
    )
    shift = 0 if stays else 1
    groups = tuple(
        () if number == axis and not stays else tuple(a - shift if a > own else a for a in group)
        for number, group in enumerate(value.groups)
    )
    return Value(term, groups)


def pad(step: Step) -> list[Value] | None:
    """Pad by constants, in one mode."""
    value = step.value(0)
    if value is None or step.shape is None or any(step.value(n) is not None for n in range(1, len(step.operands))):
        return None
    rank = len(value.groups)
    amounts = step.constant(1)
    given = amounts.reshape(-1).tolist() if amounts is not None else list(step.attributes.get("pads", []))
    axes = step.constant(3)
    named = [int(a) % rank for a in axes.reshape(-1)] if axes is not None else list(range(rank))
    if len(given) != 2 * len(named):
        return None
    filled = step.constant(2)
    number = float(filled.reshape(-1)[0]) if filled is not None else float(step.attributes.get("value", 0.0))
    entries = []
    for index, axis in enumerate(named):
        amount = (int(given[index]), int(given[index + len(named)]))
        if amount == (0, 0):
            continue
        if len(value.groups[axis]) != 1 or step.shape[axis] == 1:
            return None
        entries.append((value.groups[axis][0], *amount))
    if not entries:
        return [value]
    shape = list(value.term.shape)
    for own, front, back in entries:
        shape[own] += front + back
    mode = step.attributes.get("mode", "constant")
    setting = (mode, number if mode == "constant" else 0.0, tuple(sorted(entries)))
    return [Value(step.store.term("pad", shape, (value.term.number,), setting), value.groups)]


def choose(step: Step) -> list[Value] | None:
    """Where of three tensors of one shape and one order of axes."""
    values = [step.as_value(number) for number in range(3)]
    if any(value is None for value in values):
        return None
    condition, one, two = (value for value in values if value is not None)
    left, right = pairing(one, condition), pairing(one, two)
    if left is None or right is None or len(left.shape) != len(one.term.shape) or left.shape != right.shape:
        return None
    numbers = (one.term.number, condition.term.number, two.term.number)
    return [Value(step.store.term("where", right.shape, numbers, (left.axes, right.axes)), right.groups)]


def embedding(step: Step) -> list[Value] | None:
    """Gather of rows of a constant table by computed indices."""
    table, index = step.constant(0), step.value(1)
    if table is None or index is None or int(step.attributes.get("axis", 0)) != 0 or table.ndim != 2:
        return None
    columns = int(table.shape[1])
    shape = (*index.term.shape, *((columns,) if columns != 1 else ()))
    term = step.store.term("rows", shape, (index.term.number,), (), (np.asarray(table),))
    groups: Groups = (*index.groups, (len(index.term.shape),) if columns != 1 else ())
    return [Value(term, groups)]
