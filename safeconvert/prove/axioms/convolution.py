"""Conv with constant weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from safeconvert.prove.axioms.affine import affine, only_along, parts
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.contraction import contract
from safeconvert.prove.axioms.group_products import contract_groups, in_blocks
from safeconvert.prove.axioms.window import Window, window
from safeconvert.prove.kernel.layout import Value, along, canonical, constant
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Store, Term, near

Step = tuple[int, int, tuple[int, int]]
"""Along an axis: how far windows are apart, how far places within them are, and the zeros in front and behind."""

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
    point = all(w.kernel[a] == w.strides[a] == 1 and w.pads[a] == (0, 0) for a in kept)
    if AXIOM.holds(n.store, _POINT, point and group == 1):
        made = contract(n.store, value, 1, weights.sum(axis=tuple(range(2, weights.ndim))).T)
    elif point and value.groups[1]:
        made = contract_groups(n.store, value, 1, weights.reshape(weights.shape[:2]).T, group)
    else:
        made = _in_windows(n, weights, w, kept)
    return [_biased(n, made)]


def _biased(n: Node, made: Value) -> Value:
    AXIOM.use(n.store)
    if n.constant(2) is None or not n.real(2).any():
        return made
    bias = along(n.real(2).reshape((-1,) + (1,) * (len(made.groups) - 2)), made)
    return Value(affine(n.store, made.term, 1.0, bias), made.groups)


def _in_windows(n: Node, weights: Array, w: Window, kept: list[int]) -> Value:
    kernel = np.moveaxis(weights, 0, -1)
    kernel = kernel.reshape(kernel.shape[0], *(w.kernel[a] for a in kept), kernel.shape[-1])
    windows = tuple((w.strides[a], w.dilations[a] if w.kernel[a] > 1 else 1, w.pads[a]) for a in kept)
    read = tuple(g for axis, g in enumerate(n.value().groups) if axis < 2 or axis - 2 in kept)
    sizes, groups = canonical(n.shape)
    value = Value(n.value().term, read)
    return Value(windowed(n.store, value, kernel, windows, n.attributes["group"], sizes), groups)


def windowed(
    store: Store, value: Value, kernel: Array, windows: Sequence[Step], group: int, sizes: Sequence[int]
) -> Term:
    """A convolution in windows.

    Args:
        store: of the step.
        value: what is convolved: samples, channels, and one axis for each of the kernel's.
        kernel: [channels of a group, places along each axis, channels of the result].
        windows: along each axis.
        group: how many groups of channels there are.
        sizes: of the result's axes but for those of length 1, in the order of the value's.
    """
    AXIOM.use(store)
    read_from, pads = _unpadded(store, value, value.term, [pad for _, _, pad in windows])
    core, s, b, _ = parts(read_from)
    free = AXIOM.holds(store, _NO_OFFSET, not b.any())
    if free and len(value.groups[1]) <= 1 and AXIOM.holds(store, _CHANNELS, only_along(s, value.groups[1])):
        per_input = np.broadcast_to(
            s[tuple(slice(None) if a in value.groups[1] else 0 for a in range(s.ndim))], value.shape[1]
        )
        each = per_input.reshape(group, -1).repeat(kernel.shape[-1] // group, 0).T  # [in of its group, out]
        kernel = kernel * each.reshape(each.shape[0], *(1,) * len(windows), each.shape[1])
    else:
        core = read_from
    core, pads = _unpadded(store, value, core, pads)
    kernel, group = in_blocks(store, kernel, group)
    settings = tuple((stride, dilation, pad) for (stride, dilation, _), pad in zip(windows, pads, strict=True))
    index = sum(size != 1 for size in value.shape[:1])
    return store.term("conv", sizes, (core,), (index, settings, group, value.groups), [near(kernel)])


def _unpadded(
    store: Store, value: Value, core: Term, pads: list[tuple[int, int]]
) -> tuple[Term, list[tuple[int, int]]]:
    """What is convolved without a Pad before it, and the padding of both."""
    if core.operator != "pad":
        return core, pads
    mode, entries = core.setting
    owner = {group[0]: index for index, group in enumerate(value.groups) if index >= 2 and len(group) == 1}
    zero = mode == "constant" and not core.constants[0].values.any() and all(min(f, b) >= 0 for _, f, b in entries)
    if any(axis not in owner for axis, _, _ in entries) or not AXIOM.holds(store, _ZERO, zero):
        return core, pads
    pads = list(pads)
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
