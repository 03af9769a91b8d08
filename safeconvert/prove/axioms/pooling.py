"""MaxPool and AveragePool."""

from __future__ import annotations

import math
from collections.abc import Sequence

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.clips import lowest
from safeconvert.prove.axioms.places import taken
from safeconvert.prove.axioms.reductions import extreme, mean
from safeconvert.prove.axioms.window import Window, window
from safeconvert.prove.kernel.layout import Value, canonical
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused, Store

_WHOLE = "the one window covers everything, and no padding"
_PLACE = "the window is of one place"
_COUNTED = "counted padding does not end before the last window does"
_LOW = "what is padded is nowhere less than what it is padded with"
_TOUCHED = "each window reads a place of the tensor"
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
    return [Value(n.store.term(kind, kept_sizes, (value.term,), (of, read)), groups)]


def _bare(store: Store, value: Value, w: Window, behind: Sequence[int], average: bool) -> tuple[Value, Window] | None:
    """What was padded before it is pooled, and the window with that padding as its own; None where that is another function."""
    term = value.term
    if term.operator != "pad" or term.setting[0] != "constant":
        return None
    places = {group[0]: axis - 2 for axis, group in enumerate(value.groups) if axis >= 2 and len(group) == 1}
    pads = list(w.pads)
    reaches = list(behind)
    for own, front, back in term.setting[1]:
        if own not in places or min(front, back) < 0:
            return None
        axis = places[own]
        pads[axis], reaches[axis] = (w.pads[axis][0] + front, w.pads[axis][1] + back), behind[axis] + back
    fill = float(term.constants[0].values)
    if average:
        if not AXIOM.holds(store, _ZERO, fill == 0):
            return None
    else:
        ends = [(max(front, over), size) for (front, _), over, size in zip(pads, reaches, w.kernel, strict=True)]
        touched = max(w.dilations) == 1 and all(end < size for end, size in ends)
        if not AXIOM.holds(store, _TOUCHED, touched) or not AXIOM.holds(store, _LOW, lowest(term.operands[0]) >= fill):
            return None
    inner = Value(term.operands[0], value.groups)
    return inner, Window(w.kernel, w.strides, w.dilations, tuple(pads))


AXIOM = Axiom(
    "pooling in windows",
    "Pooling is said by its windows and by how far they reach beyond the tensor, padding before it included: of zeros for a mean that counts them, of a number that is "
    "not greater than any of the tensor's for the largest; one window over everything is a reduction; windows of one place take places along axes; an axis of length 1 "
    "under a window of 1 is no axis.",
    (_WHOLE, _PLACE, _COUNTED, _LOW, _TOUCHED, _ZERO),
    {"MaxPool": _pool, "AveragePool": _pool},
)
