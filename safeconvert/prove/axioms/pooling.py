"""MaxPool and AveragePool."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from safeconvert.prove.axioms.affine import affine, parts, scale
from safeconvert.prove.axioms.averages import counting
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.clips import lowest
from safeconvert.prove.axioms.joined_maps import of_piece
from safeconvert.prove.axioms.joining import pieces
from safeconvert.prove.axioms.places import taken
from safeconvert.prove.axioms.reductions import extreme, mean
from safeconvert.prove.axioms.window import Window, window
from safeconvert.prove.kernel.layout import Value, along, canonical
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused, Store

_WHOLE = "the one window covers everything, and no padding"
_PLACE = "the window is of one place"
_COUNTED = "counted padding does not end before the last window does"
_LOW = "what is padded is nowhere less than what it is padded with"
_TOUCHED = "each window reads a place of the tensor"
_ENDS = "what is joined to a tensor are its own ends"
_ZERO = "what is counted as padding is zero"


def _pool(n: Node) -> list[Value]:
    value, average = n.value(), n.operator[1] == "AveragePool"
    w = window(n, list(n.attributes["kernel_shape"]))
    rank = len(w.kernel)
    sizes, counts = value.shape[2:], n.shape[2:]
    AXIOM.use(n.store)
    covers = w.kernel == sizes and set(counts) == {1} and not any(map(any, w.pads)) and max(w.dilations) == 1
    if AXIOM.holds(n.store, _WHOLE, covers):
        axes = range(2, 2 + rank)
        return [
            mean(n.store, value, axes, True, math.prod(sizes))
            if average
            else extreme(n.store, "max", value, axes, True)
        ]
    if AXIOM.holds(n.store, _PLACE, set(w.kernel) == {1}) and not any(map(any, w.pads)):
        for axis, count in enumerate(counts):
            value = taken(n.store, value, 2 + axis, range(0, (count - 1) * w.strides[axis] + 1, w.strides[axis]))
        return [value]
    counted = average and bool(n.attributes.get("count_include_pad", 0)) and any(map(any, w.pads))
    there = counting(n.store, w, sizes, counts) if average and not counted else None
    w, counted = (w, counted) if there is None else (there[0], True)
    behind = [w.behind(axis, sizes[axis], counts[axis]) for axis in range(rank)]
    even = all(over <= back for over, (_, back) in zip(behind, w.pads, strict=True))
    if counted and not AXIOM.holds(n.store, _COUNTED, even):
        raise Refused("AveragePool: counted padding beside ceil_mode")
    bare = _bare(n.store, value, w, behind, average)
    if bare is not None and (counted or not average or (not any(map(any, w.pads)) and even)):
        value, w = bare
        sizes = value.shape[2:]
        behind = [w.behind(axis, sizes[axis], counts[axis]) for axis in range(rank)]
        counted = average
    kept = [axis for axis in range(rank) if not w.trivial(axis, sizes[axis])]
    of = tuple((w.kernel[a], w.strides[a], w.dilations[a], w.pads[a][0], max(behind[a], 0)) for a in kept)
    read = tuple(group for axis, group in enumerate(value.groups) if axis < 2 or axis - 2 in kept)
    kind = "max in windows" if not average else "mean in windows, padding counted" if counted else "mean in windows"
    kept_sizes, groups = canonical(n.shape)
    made = Value(n.store.term(kind, kept_sizes, (value.term,), (of, read)), groups)
    return [made if there is None else scale(n.store, made, along(there[1], made))]


def _bare(store: Store, value: Value, w: Window, behind: Sequence[int], average: bool) -> tuple[Value, Window] | None:
    """What was padded before it is pooled, and the window with that padding as its own; None where that is another function."""
    inner, pads, reaches = value, list(w.pads), list(behind)
    while (found := _unpadded(store, inner, average)) is not None:
        inner, entries = found
        for axis, front, back in entries:
            pads[axis], reaches[axis] = (pads[axis][0] + front, pads[axis][1] + back), reaches[axis] + back
    if inner is value:
        return None
    ends = [(max(front, over), size) for (front, _), over, size in zip(pads, reaches, w.kernel, strict=True)]
    touched = max(w.dilations) == 1 and all(end < size for end, size in ends)
    if not average and not AXIOM.holds(store, _TOUCHED, touched):
        return None
    return inner, Window(w.kernel, w.strides, w.dilations, tuple(pads))


def _unpadded(store: Store, value: Value, average: bool) -> tuple[Value, list[tuple[int, int, int]]] | None:
    """What a Pad, or an end that is repeated, was added to: spatial axes, and how much in front and behind; None where a mean or a largest
    number would be another."""
    term = value.term
    places = {group[0]: axis - 2 for axis, group in enumerate(value.groups) if axis >= 2 and len(group) == 1}
    if parts(term)[0].operator == "concat" and not average:
        return _without_ends(store, value, places)
    if term.operator != "pad" or term.setting[0] != "constant":
        return None
    if any(own not in places or min(front, back) < 0 for own, front, back in term.setting[1]):
        return None
    fill = float(term.constants[0].values)
    if average and not AXIOM.holds(store, _ZERO, fill == 0):
        return None
    if not average and not AXIOM.holds(store, _LOW, lowest(term.operands[0]) >= fill):
        return None
    return Value(term.operands[0], value.groups), [(places[own], front, back) for own, front, back in term.setting[1]]


def _without_ends(
    store: Store, value: Value, places: Mapping[int, int]
) -> tuple[Value, list[tuple[int, int, int]]] | None:
    """A tensor to which its first and last places along an axis were joined."""
    term, *arrays = parts(value.term)
    last = len(term.shape) - 1
    number = max(range(len(term.operands)), key=lambda one: math.prod(term.operands[one].shape))
    core, along = term.operands[number], term.setting[number]
    if last not in places or sorted(along) != list(range(len(term.shape))):
        return None
    if any(array.shape[last] != 1 for array in arrays):
        return None
    axis = along.index(last)
    whole = Value(core, tuple((one,) for one in range(len(core.shape))))
    ends = [*term.operands[:number], *term.operands[number + 1 :]]
    for place, part in enumerate(ends):
        end = 0 if place < number else core.shape[axis] - 1
        wanted = taken(store, whole, axis, range(end, end + 1))
        lie = {own: along[n] for n, group in enumerate(wanted.groups) for own in group}
        held = dict(enumerate(term.setting[place if place < number else place + 1]))
        if not AXIOM.holds(store, _ENDS, wanted.term is part and held == lie):
            return None
    groups = tuple(tuple(along.index(one) for one in group) for group in value.groups)
    inner = affine(store, core, *(of_piece(array, pieces(term), number) for array in arrays))
    return Value(inner, groups), [(places[last], number, len(ends) - number)]


AXIOM = Axiom(
    "pooling in windows",
    "Pooling is said by its windows and by how far they reach beyond the tensor, padding before it included: of zeros for a mean that counts them, of a number that is "
    "not greater than any of the tensor's, or of its own ends again, for the largest; one window over everything is a reduction; windows of one place take places along axes; an axis of length 1 "
    "under a window of 1 is no axis.",
    (_WHOLE, _PLACE, _COUNTED, _LOW, _TOUCHED, _ENDS, _ZERO),
    {"MaxPool": _pool, "AveragePool": _pool},
)
