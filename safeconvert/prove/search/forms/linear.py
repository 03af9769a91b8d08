"""What is linear in constant weights: Conv, Gemm, MatMul by a matrix.

One primitive for products over whole axes (`contract`: weights with the contracted canonical axes in order, and the output channel last),
one for windows (`conv`: weights with the output channel last). Identities: a 1×1 convolution is a contraction of the channels; Gemm is
a contraction and a sum; conv(s·x, W) = conv(x, W·s) for a factor s of the input channels, and zero padding stays zero under it;
contract(x + b, W) = contract(x, W) + contract(b, W); an axis of length 1 with a window of 1 is no axis (a 1-D convolution said in 2-D).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from safeconvert.prove.search.forms.affine import parts, shift
from safeconvert.prove.search.step import Step
from safeconvert.prove.search.terms import Array, Near, Term, TermStore
from safeconvert.prove.search.values import Groups, Value, along_axes, canonical


def convolution(step: Step) -> list[Value] | None:
    """Conv with constant weights and bias."""
    value, weights = step.value(0), step.constant(1)
    if (
        value is None
        or weights is None
        or weights.dtype.kind != "f"
        or step.shape is None
        or "auto_pad" in step.attributes
    ):
        return None
    made = _window(step, value, weights)
    bias = step.constant(2)
    if made is None or (len(step.operands) > 2 and bias is None and step.node.input[2]):
        return None
    return [made if bias is None else _with_bias(step.store, made, bias, 1)]


def gemm(step: Step) -> list[Value] | None:
    """Gemm with a constant second operand."""
    value, weights, bias = step.value(0), step.constant(1), step.constant(2)
    if value is None or weights is None or weights.dtype.kind != "f" or step.attributes.get("transA", 0):
        return None
    if len(step.operands) > 2 and step.node.input[2] and bias is None:
        return None
    matrix = weights.T if step.attributes.get("transB", 0) else weights
    made = contract(step.store, value, 1, _doubles(matrix) * float(step.attributes.get("alpha", 1.0)))
    if made is None or bias is None:
        return None if made is None else [made]
    along = along_axes(_doubles(bias) * float(step.attributes.get("beta", 1.0)), made)
    return None if along is None else [shift(made, step.store, along)]


def matrix_product(step: Step) -> list[Value] | None:
    """MatMul of a tensor with a constant matrix, on either side."""
    left, right = step.operands[0], step.operands[1]
    if isinstance(left, Value) and isinstance(right, np.ndarray):
        matrix = _matrix(right)
        rank = len(left.groups)
        if matrix is None or rank < 2:
            return None
        made = contract(step.store, left, rank - 1, matrix)
    elif isinstance(right, Value) and isinstance(left, np.ndarray):
        matrix = _matrix(left)
        rank = len(right.groups)
        if matrix is None or rank < 2:
            return None
        made = contract(step.store, right, rank - 2, matrix.T)
    else:
        return None
    return None if made is None else [made]


def contract(store: TermStore, value: Value, axis: int, weights: Array) -> Value | None:
    """Sum over one axis of a tensor against the first axis of a matrix, whose second takes that axis' place.

    Args:
        store: of the proof.
        value: the tensor.
        axis: of the tensor.
        weights: `[size of the axis, channels]`.
    """
    group = value.groups[axis]
    sizes = [value.term.shape[a] for a in group]
    if int(np.prod(sizes, dtype=int)) != weights.shape[0]:
        return None
    order = np.argsort(group)
    kernel = _doubles(weights).reshape(*sizes, weights.shape[1]).transpose([*order, len(group)])
    core, factor, offset = parts(store, value.term)
    contracted = tuple(sorted(group))
    if factor is not None and not _only_along(factor, contracted):
        core, factor = store.terms[value.term.operands[0]] if offset is not None else value.term, None
    if factor is not None:
        kernel = kernel * _over(factor, contracted)[..., None]
    kept = [a for a in range(len(core.shape)) if a not in contracted]
    channels = weights.shape[1]
    shape = [core.shape[a] for a in kept] + ([channels] if channels != 1 else [])
    term = store.term("contract", shape, (core.number,), (len(kept), contracted), (kernel,), Near.EACH)
    groups = _renumbered(value.groups, kept, axis, len(kept) if channels != 1 else None)
    made = Value(term, groups)
    if offset is None:
        return made
    return _with_offset(store, made, offset, (contracted, kept), kernel)


def _with_offset(
    store: TermStore, made: Value, offset: Array, axes: tuple[tuple[int, ...], list[int]], kernel: Array
) -> Value:
    """What the contraction makes of a constant that was added before it."""
    contracted, _ = axes
    full = np.broadcast_to(
        offset, [kernel.shape[contracted.index(a)] if a in contracted else offset.shape[a] for a in range(offset.ndim)]
    )
    summed = np.tensordot(full, kernel, (contracted, range(len(contracted))))
    return shift(made, store, summed if kernel.shape[-1] != 1 else summed[..., 0])


def _window(step: Step, value: Value, weights: Array) -> Value | None:
    assert step.shape is not None
    spatial = weights.ndim - 2
    settings = {name: list(step.attributes.get(name, [1] * spatial)) for name in ("strides", "dilations")}
    pads = list(step.attributes.get("pads", [0] * (2 * spatial)))
    group = int(step.attributes.get("group", 1))
    shape = value.shape
    kernel = np.moveaxis(weights, 0, -1)  # [in, *window, out]
    kept = [
        axis for axis in range(spatial)
        if not (shape[2 + axis] == 1 and weights.shape[2 + axis] == 1 and settings["strides"][axis] >= 1
                and pads[axis] == pads[spatial + axis] == 0)
    ]  # fmt: skip
    if group == 1 and all(
        weights.shape[2 + a] == 1 and settings["strides"][a] == 1 and pads[a] == pads[spatial + a] == 0 for a in kept
    ):
        return contract(step.store, value, 1, weights.reshape(weights.shape[:2]).T)
    core, factor, offset = parts(step.store, value.term)
    channel = value.groups[1]
    if factor is not None and offset is None and _only_along(factor, tuple(sorted(channel))) and len(channel) <= 1:
        along = factor.reshape(-1)
        if group == 1 or along.size == 1:
            kernel = _doubles(kernel) * along.reshape(-1, *(1,) * (kernel.ndim - 1))
        else:  # each group of output channels reads its own input channels
            outputs = kernel.shape[-1] // group
            per_output = along.reshape(group, -1).repeat(outputs, 0).T  # [in of group, out]
            kernel = _doubles(kernel) * per_output.reshape(per_output.shape[0], *(1,) * spatial, -1)
        term = core
    else:
        term = value.term
    term, pads = _unpadded(step, term, value, pads)
    form, groups = canonical(step.shape)
    window = (
        tuple(settings["strides"][a] for a in kept),
        tuple(settings["dilations"][a] if weights.shape[2 + a] > 1 else 1 for a in kept),
        tuple((pads[a], pads[spatial + a]) for a in kept),
    )
    read = tuple(g for axis, g in enumerate(value.groups) if axis < 2 or axis - 2 in kept)
    kernel = kernel.reshape(kernel.shape[0], *(weights.shape[2 + a] for a in kept), kernel.shape[-1])
    place = sum(1 for size in step.shape[:1] if size != 1)
    made = step.store.term("conv", form, (term.number,), (place, window, group, read), (_doubles(kernel),), Near.EACH)
    return Value(made, groups)


def _unpadded(step: Step, term: Term, value: Value, pads: list[int]) -> tuple[Term, list[int]]:
    """What is convolved without a Pad of zeros before it, and the padding of both."""
    if term.operator != "pad" or term.setting[:2] != ("constant", 0.0):
        return term, pads
    owner = {axis: place - 2 for place, group in enumerate(value.groups) for axis in group}
    entries = term.setting[2]
    if any(owner[axis] < 0 or min(front, back) < 0 for axis, front, back in entries):
        return term, pads
    found = list(pads)
    for axis, front, back in entries:
        found[owner[axis]] += front
        found[owner[axis] + len(pads) // 2] += back
    return step.store.terms[term.operands[0]], found


def _with_bias(store: TermStore, value: Value, bias: Array, axis: int) -> Value:
    form = [1] * len(value.groups)
    form[axis] = bias.size
    along = along_axes(_doubles(bias).reshape(form), value)
    return value if along is None else shift(value, store, along)


def _renumbered(groups: Groups, kept: Sequence[int], axis: int, channel: int | None) -> Groups:
    """Groups in the canonical axes of a contraction: those that stay, and the channel behind them."""
    indices = {old: new for new, old in enumerate(kept)}
    return tuple(
        (() if channel is None else (channel,)) if number == axis else tuple(indices[a] for a in group)
        for number, group in enumerate(groups)
    )


def _only_along(array: Array, axes: tuple[int, ...]) -> bool:
    return all(size == 1 or axis in axes for axis, size in enumerate(array.shape))


def _over(array: Array, axes: tuple[int, ...]) -> Array:
    """A constant as one over some canonical axes only, all others being of length 1."""
    if array.ndim == 0:
        return array.reshape((1,) * len(axes))
    return array.reshape([array.shape[axis] for axis in axes])


def _matrix(array: Array) -> Array | None:
    """A constant of shape [1, …, k, m] as a matrix."""
    if array.ndim < 2 or array.dtype.kind != "f" or any(size != 1 for size in array.shape[:-2]):
        return None
    return array.reshape(array.shape[-2:])


def _doubles(array: Array) -> Array:
    return np.asarray(array, np.float64)
