"""Convolutions of one place in groups: sums over the channels of each group."""

from __future__ import annotations

import numpy as np

from safeconvert.prove.axioms.affine import affine, only_along, parts
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Value, along
from safeconvert.prove.kernel.terms import Array, Refused, Store, near

_ALONG = "factor and offset of what is summed vary along the summed axis only"


def contract_groups(store: Store, value: Value, axis: int, weights: Array, group: int) -> Value:
    """The sums over groups of an axis, one behind the other, against [places of a group, places of the result]."""
    AXIOM.use(store)
    over, (own, channels) = value.groups[axis], weights.shape
    if value.shape[axis] != own * group or channels % group or len(over) != 1:
        raise Refused("groups of weights that do not fit what they are multiplied with")
    if own == 1 and channels == group:
        form = (1,) * axis + (channels,) + (1,) * (len(value.groups) - axis - 1)
        return Value(affine(store, value.term, along(weights.reshape(form), value)), value.groups)
    core, *arrays = parts(value.term)
    apart = core is not value.term and AXIOM.holds(store, _ALONG, all(only_along(array, over) for array in arrays[:2]))
    place = tuple(slice(None) if a in over else 0 for a in range(len(core.shape)))
    s, b, m = (np.broadcast_to(array[place], own * group) for array in arrays) if apart else (None, None, None)
    each = channels // group
    kernel = weights if s is None else weights * s.reshape(group, own).repeat(each, 0).T
    read = core if apart else value.term
    kept = [a for a in range(len(read.shape)) if a not in over]
    shape = [*(read.shape[a] for a in kept), channels]
    made = store.term("contract in groups", shape, (read,), (len(kept), over, group), [near(kernel)])
    groups = tuple((len(kept),) if n == axis else tuple(kept.index(a) for a in g) for n, g in enumerate(value.groups))
    if b is None or m is None or not b.any():
        return Value(made, groups)

    def summed(array: Array, matrix: Array) -> Array:
        found = (array.reshape(group, own).repeat(each, 0).T * matrix).sum(0)
        return np.asarray(found.reshape((1,) * len(kept) + (channels,)))

    return Value(affine(store, made, 1.0, summed(b, weights), summed(m, np.abs(weights))), groups)


AXIOM = Axiom(
    "products of groups",
    "A convolution of one place in groups is a sum over the channels of each group; (x·s + b)·W = x·(s·W) + b·W for each group; where every channel is a group that makes one, it is a "
    "factor of the channels.",
    (_ALONG,),
)
