"""Convolutions of one place in groups: sums over the channels of each group."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from safeconvert.prove.axioms.affine import affine, only_along, parts
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Value, along
from safeconvert.prove.kernel.terms import Array, Refused, Store, Term, near

_ALONG = "factor and offset of what is summed vary along the summed axis only"
_APART = "all weights between groups are zero"


def contract_groups(store: Store, value: Value, axis: int, weights: Array, group: int) -> Value:
    """The sums over groups of an axis, one behind the other, against [places of a group, places of the result]."""
    AXIOM.use(store)
    weights, group = in_blocks(store, weights, group)
    over, (own, channels) = value.groups[axis], weights.shape
    if value.shape[axis] != own * group or channels % group or not over:
        raise Refused("groups of weights that do not fit what they are multiplied with")
    if own == 1 and channels == group:
        form = (1,) * axis + (channels,) + (1,) * (len(value.groups) - axis - 1)
        return Value(affine(store, value.term, along(weights.reshape(form), value)), value.groups)
    core, s, b, m = parts(value.term)
    if not AXIOM.holds(store, _ALONG, only_along(s, over) and only_along(b, over)):
        core, s, b, m = value.term, np.ones_like(s), np.zeros_like(b), np.zeros_like(m)
    kept = [a for a in range(len(core.shape)) if a not in over]
    factor, offset, size = (_line(array, core, over).reshape(group, own) for array in (s, b, m))
    each = channels // group
    kernel = weights * factor.repeat(each, 0).T
    shape = [*(core.shape[a] for a in kept), channels]
    made = store.term("contract in groups", shape, (core,), (len(kept), over, group), [near(kernel)])
    groups = tuple((len(kept),) if n == axis else tuple(kept.index(a) for a in g) for n, g in enumerate(value.groups))
    if not offset.any():
        return Value(made, groups)
    form = (1,) * len(kept) + (channels,)
    summed = (offset.repeat(each, 0).T * weights).sum(0), (size.repeat(each, 0).T * np.abs(weights)).sum(0)
    return Value(affine(store, made, 1.0, *(array.reshape(form) for array in summed)), groups)


def _line(array: Array, core: Term, over: Sequence[int]) -> Array:
    """A constant of a term's axes along some of these, merged in this order."""
    own = array[tuple(slice(None) if a in over else 0 for a in range(array.ndim))]
    full = np.broadcast_to(own, [core.shape[a] for a in sorted(over)])
    return full.transpose([sorted(over).index(a) for a in over]).reshape(-1)


def in_blocks(store: Store, kernel: Array, group: int) -> tuple[Array, int]:
    """Weights [places of a group, …, places of the result] in as many groups as there are with zeros between them, and how many these are."""
    own, channels = kernel.shape[0], kernel.shape[-1] // group
    if np.count_nonzero(kernel) == kernel.size:
        return kernel, group
    rows = kernel.reshape(own, -1, group, channels).any(axis=1)  # [place, group, place of the result]
    for count in range(math.gcd(own, channels), 1, -1):
        if own % count or channels % count:
            continue
        cut = rows.reshape(count, own // count, group, count, channels // count)
        between = cut.any(axis=(1, 2, 4)) & ~np.eye(count, dtype=bool)
        if AXIOM.holds(store, _APART, not between.any()):
            AXIOM.use(store)
            return _blocks(kernel, group, count), group * count
    return kernel, group


def _blocks(kernel: Array, group: int, count: int) -> Array:
    """Weights in groups, of each of which the blocks along the diagonal are groups of their own."""
    own, channels = kernel.shape[0], kernel.shape[-1] // group
    cut = kernel.reshape(count, own // count, *kernel.shape[1:-1], group, count, channels // count)
    found = np.stack([cut[n].take(n, axis=-2) for n in range(count)], axis=-2)
    return np.asarray(found.reshape(own // count, *kernel.shape[1:-1], -1))


AXIOM = Axiom(
    "products of groups",
    "A convolution of one place in groups is a sum over the channels of each group; (x·s + b)·W = x·(s·W) + b·W for each group; where every channel is a group that makes one, it is a "
    "factor of the channels. Weights with zeros between groups are weights in groups.",
    (_ALONG, _APART),
)
