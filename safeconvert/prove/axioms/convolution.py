"""Conv with constant weights."""

from __future__ import annotations

import numpy as np

from safeconvert.prove.axioms.affine import affine, only_along, parts
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.contraction import contract
from safeconvert.prove.axioms.window import Window, window
from safeconvert.prove.kernel.layout import Value, along, canonical, constant
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Term, near

_CHANNELS = "the factor of what is convolved varies along its channels only"
_NO_OFFSET = "nothing is added to what is convolved, so that padding stays zero"
_ZERO = "a Pad before it is of zeros, and cuts nothing away"
_NOTHING = "all weights are zero"
_POINT = "window, stride and padding are those of a single place, and all channels are one group"


def _convolution(n: Node) -> list[Value]:
    value, weights = n.value(), n.real(1)
    if AXIOM.holds(n.store, _NOTHING, not weights.any()):
        return [_biased(n, constant(n.store, np.zeros(n.shape, np.float32)))]
    w = window(n, list(weights.shape[2:]))
    AXIOM.use(n.store)
    kept = [a for a in range(len(w.kernel)) if not w.trivial(a, value.shape[2 + a])]
    group = n.attributes["group"]
    point = group == 1 and all(w.kernel[a] == w.strides[a] == 1 and w.pads[a] == (0, 0) for a in kept)
    if AXIOM.holds(n.store, _POINT, point):
        made = contract(n.store, value, 1, weights.sum(axis=tuple(range(2, weights.ndim))).T)
    else:
        made = _windowed(n, weights, w, kept)
    return [_biased(n, made)]


def _biased(n: Node, made: Value) -> Value:
    AXIOM.use(n.store)
    if n.constant(2) is None or not n.real(2).any():
        return made
    bias = along(n.real(2).reshape((-1,) + (1,) * (len(made.groups) - 2)), made)
    return Value(affine(n.store, made.term, 1.0, bias), made.groups)


def _windowed(n: Node, weights: Array, w: Window, kept: list[int]) -> Value:
    value, group = n.value(), n.attributes["group"]
    kernel = np.moveaxis(weights, 0, -1)
    kernel = kernel.reshape(kernel.shape[0], *(w.kernel[a] for a in kept), kernel.shape[-1])
    read_from, pads = _unpadded(n, value.term, list(w.pads))
    core, s, b, _ = parts(read_from)
    free = AXIOM.holds(n.store, _NO_OFFSET, not b.any())
    if free and len(value.groups[1]) <= 1 and AXIOM.holds(n.store, _CHANNELS, only_along(s, value.groups[1])):
        per_input = np.broadcast_to(
            s[tuple(slice(None) if a in value.groups[1] else 0 for a in range(s.ndim))], value.shape[1]
        )
        each = per_input.reshape(group, -1).repeat(weights.shape[0] // group, 0).T  # [in of its group, out]
        kernel = kernel * each.reshape(each.shape[0], *(1,) * len(kept), each.shape[1])
    else:
        core = read_from
    core, pads = _unpadded(n, core, pads)
    sizes, groups = canonical(n.shape)
    index = sum(size != 1 for size in n.shape[:1])
    settings = tuple((w.strides[a], w.dilations[a] if w.kernel[a] > 1 else 1, pads[a]) for a in kept)
    read = tuple(g for axis, g in enumerate(value.groups) if axis < 2 or axis - 2 in kept)
    return Value(n.store.term("conv", sizes, (core,), (index, settings, group, read), [near(kernel)]), groups)


def _unpadded(n: Node, core: Term, pads: list[tuple[int, int]]) -> tuple[Term, list[tuple[int, int]]]:
    """What is convolved without a Pad before it, and the padding of both."""
    if core.operator != "pad":
        return core, pads
    mode, entries = core.setting
    owner = {group[0]: index for index, group in enumerate(n.value().groups) if index >= 2 and len(group) == 1}
    zero = mode == "constant" and not core.constants[0].values.any() and all(min(f, b) >= 0 for _, f, b in entries)
    if any(axis not in owner for axis, _, _ in entries) or not AXIOM.holds(n.store, _ZERO, zero):
        return core, pads
    for axis, front, back in entries:
        before, behind = pads[owner[axis] - 2]
        pads[owner[axis] - 2] = (before + front, behind + back)
    return core.operands[0], pads


AXIOM = Axiom(
    "convolutions",
    "conv(s·x, W) = conv(x, W·s) for a factor s of the channels; a convolution of one place is a product with a matrix; an axis of length 1 "
    "under a window of 1 is no axis, so that a 1-D convolution may be said in 2-D; a Pad of zeros before a convolution is its padding; conv(x, 0) = 0.",
    (_CHANNELS, _NO_OFFSET, _POINT, _ZERO, _NOTHING),
    {"Conv": _convolution},
)
