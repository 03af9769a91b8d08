"""MaxPool and AveragePool."""

from __future__ import annotations

import math

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.places import taken
from safeconvert.prove.axioms.reductions import extreme, mean
from safeconvert.prove.axioms.window import window
from safeconvert.prove.kernel.layout import Value, canonical
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused

_WHOLE = "the one window covers everything, and no padding"
_PLACE = "the window is of one place"
_COUNTED = "counted padding ends where the last window does"


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
    kept = [axis for axis in range(rank) if not w.trivial(axis, sizes[axis])]
    behind = [w.behind(axis, sizes[axis], counts[axis]) for axis in kept]
    counted = average and bool(n.attributes.get("count_include_pad", 0)) and any(map(any, w.pads))
    even = all(over == w.pads[axis][1] for over, axis in zip(behind, kept, strict=True))
    if counted and not AXIOM.holds(n.store, _COUNTED, even):
        raise Refused("AveragePool: counted padding beside ceil_mode")
    of = tuple(
        (w.kernel[a], w.strides[a], w.dilations[a], w.pads[a][0], max(b, 0)) for a, b in zip(kept, behind, strict=True)
    )
    read = tuple(group for axis, group in enumerate(value.groups) if axis < 2 or axis - 2 in kept)
    kind = "max in windows" if not average else "mean in windows, padding counted" if counted else "mean in windows"
    kept_sizes, groups = canonical(n.shape)
    return [Value(n.store.term(kind, kept_sizes, (value.term,), (of, read)), groups)]


AXIOM = Axiom(
    "pooling in windows",
    "Pooling is said by its windows and by how far they reach beyond the tensor; one window over everything is a reduction; windows of one place take places along axes; an axis of length 1 "
    "under a window of 1 is no axis.",
    (_WHOLE, _PLACE, _COUNTED),
    {"MaxPool": _pool, "AveragePool": _pool},
)
