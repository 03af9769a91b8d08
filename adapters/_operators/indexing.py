"""Slices, pads, gathers and scatters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .elementwise import wide
from .node import Node
from .sizes import product


def _slice(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    shape = b.shape(x)
    if n.opset < 10:
        starts, ends = list(n.attribute("starts")), list(n.attribute("ends"))
        axes, steps = n.attribute("axes"), None
    else:
        starts, ends = n.sizes(1, "the starts"), n.sizes(2, "the ends")
        axes = None if n.given(3) is None else n.sizes(3, "the axes")
        steps = None if n.given(4) is None else n.sizes(4, "the steps")
    axes = list(range(len(starts))) if axes is None else [int(axis) % len(shape) for axis in axes]
    steps = [1] * len(starts) if steps is None else steps
    forward, flipped = [slice(None)] * len(shape), []
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        size = shape[axis]
        if isinstance(size, int) and isinstance(start, int) and isinstance(end, int):
            first, last, step = slice(start, end, step).indices(size)
            count = len(range(first, last, step))
            if step < 0:
                flipped.append(axis)
                first, step = first + (count - 1) * step, -step
            forward[axis] = slice(first, first + (count - 1) * step + 1, step) if count else slice(0, 0)
        elif step < 0:
            raise n.refuse("backwards through a free dimension")
        else:
            end = None if isinstance(end, int) and end >= (1 << 31) - 1 else end
            same = not isinstance(end, int) and end is not None and end == size
            forward[axis] = slice(start, None if same else end, step)
    sliced = b.slice(x, forward)
    return b.flip(sliced, flipped) if flipped else sliced


def _pad(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    shape = b.shape(x)
    rank = len(shape)
    if n.opset < 11:
        pads, value = list(n.attribute("pads", n.attribute("paddings"))), n.attribute("value", 0.0)
    else:
        pads, given = [int(pad) for pad in n.sizes(1, "the pads")], n.known(2, "the value")
        value = 0 if given is None or given.size == 0 else given.reshape(-1)[0].item()
    given_axes = n.known(3, "the axes")
    axes = list(range(rank)) if given_axes is None else [int(axis) % rank for axis in given_axes.reshape(-1)]
    pairs = [(0, 0)] * rank
    for index, axis in enumerate(axes):
        pairs[axis] = (int(pads[index]), int(pads[index + len(axes)]))
    cut = [slice(max(-a, 0), -max(-z, 0) or None) for a, z in pairs]
    if any(part != slice(0, None) for part in cut):
        x = b.slice(x, [slice(None) if part == slice(0, None) else part for part in cut])
    pairs = [(max(a, 0), max(z, 0)) for a, z in pairs]
    mode = n.attribute("mode", b"constant").decode()
    if mode == "constant":
        return b.pad(x, pairs, value)
    for axis, (before, after) in enumerate(pairs):
        if before or after:
            size = b.shape(x)[axis]
            if not isinstance(size, int):
                raise n.refuse(f"mode {mode} along a free dimension")
            indices = np.pad(np.arange(size), (before, after), mode=mode)
            x = b.take(x, indices.astype(np.int64), axis)
    return x


def _each(n: Node, value: Any, index: int) -> Any:
    """An element of a vector of whole numbers, int64 of shape [1]."""
    return n.backend.cast(n.backend.slice(value, [slice(index, index + 1)]), "int64")


def _whole(value: int) -> np.ndarray:
    return np.asarray(value, dtype=np.int64)


def _within(n: Node, x: Any, low: int, high: int) -> Any:
    return n.backend.map("min", n.backend.map("max", x, _whole(low)), _whole(high))


def sliced_from(n: Node, axes: list[int]) -> Any:
    """A Slice whose starts or steps are tensors: as many elements as the result's declared shape has.

    Where the steps are known they say at which end a start is bounded; else both are computed.
    """
    b, x = n.backend, n.inputs[0]
    shape = n.declared_shape()
    assert shape is not None
    for at, axis in enumerate(axes):
        size, count = b.shape(x)[axis], shape[axis]
        if count == 0 or size == 0:
            x = b.slice(x, [slice(0, 0) if a == axis else slice(None) for a in range(len(shape))])
            continue
        step = _whole(1).reshape(1) if n.given(4) is None else _each(n, n.given(4), at)
        start = _each(n, n.inputs[1], at)
        start = b.map("where", b.map("lt", start, _whole(0)), b.map("add", start, _whole(size)), start)
        last = b.map("where", b.map("lt", step, _whole(0)), _whole(size - 1).reshape(1), _whole(size).reshape(1))
        start = b.map("max", b.map("min", start, last), _whole(0))
        indices = b.map("add", b.map("mul", np.arange(count, dtype=np.int64), step), start)
        x = b.take(x, _within(n, indices, 0, size - 1), axis)
    return x


def moved_by(n: Node, axes: list[int]) -> Any:
    """A Pad whose pads are a tensor: element i along an axis is element i less the pad before it, or what lies around."""
    b, x, value = n.backend, n.inputs[0], n.given(2)
    shape, mode = n.declared_shape(), n.attribute("mode", b"constant").decode()
    assert shape is not None
    if value is None or (isinstance(value, np.ndarray) and not value.size):
        value = np.zeros((), dtype=np.dtype(b.dtype(x)))
    value = b.reshape(value, [1] * len(shape))
    for at, axis in enumerate(axes):
        size, rank = b.shape(x)[axis], len(shape)
        if size == 0:
            raise n.refuse("along an empty dimension")
        indices = b.map("sub", np.arange(shape[axis], dtype=np.int64), _each(n, n.inputs[1], at))
        inside = b.map("eq", _within(n, indices, 0, size - 1), indices)
        if mode == "wrap":
            indices = b.map("mod", indices, _whole(size))
        elif mode == "reflect":
            turn = max(2 * (size - 1), 1)
            indices = b.map("mod", indices, _whole(turn))
            indices = b.map("min", indices, b.map("sub", _whole(turn), indices))
        x = b.take(x, _within(n, indices, 0, size - 1), axis)
        if mode == "constant":
            x = b.map("where", b.reshape(inside, [shape[axis] if a == axis else 1 for a in range(rank)]), x, value)
    return x


def positive(n: Node, indices: Any, size: Any) -> Any:
    """Indices counted from the front, int64."""
    b = n.backend
    if isinstance(indices, np.ndarray):
        if np.all(indices >= 0):
            return indices.astype(np.int64)
        if isinstance(size, int):
            return np.where(indices < 0, indices + size, indices).astype(np.int64)
    if isinstance(size, int):
        limit: Any = np.asarray(size, dtype=np.int64)
    else:
        limit = b.reshape(b.sizes_tensor(np.array([size, None], dtype=object)[:1]), [])
    indices = b.cast(indices, "int64")
    return b.map("where", b.map("lt", indices, np.asarray(0)), b.map("add", indices, limit), indices)


def _gather(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    shape = b.shape(x)
    axis = n.axis(len(shape))
    return b.take(x, positive(n, n.inputs[1], shape[axis]), axis)


def _grid(shape: list[int], axis: int) -> np.ndarray:
    return np.arange(shape[axis], dtype=np.int64).reshape([-1 if a == axis else 1 for a in range(len(shape))])


def _linear(n: Node, shape: list[Any], indices: Any, axis: int) -> Any:
    """Positions in the flattened tensor of elements indexed along one axis by an array of x's rank."""
    b = n.backend
    own = list(b.shape(indices))
    if not all(isinstance(size, int) for size in [*shape[1:], *own]):
        raise n.refuse("indices of a free size")
    strides = [int(np.prod(shape[a + 1 :], dtype=np.int64)) for a in range(len(shape))]
    positions = b.map("mul", indices, np.asarray(strides[axis]))
    for other in range(len(shape)):
        if other != axis and own[other] > 1:
            positions = b.map("add", positions, _grid(own, other) * strides[other])
    return positions


def _gather_elements(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    shape = list(b.shape(x))
    axis = n.axis(len(shape))
    indices = positive(n, n.inputs[1], shape[axis])
    own = list(b.shape(indices))
    if all(one == other for a, (one, other) in enumerate(zip(shape, own, strict=True)) if a != axis):
        return b.take_along(x, indices, axis)
    positions = _linear(n, shape, indices, axis)
    return b.reshape(b.take(b.reshape(x, [product(shape)]), b.reshape(positions, [product(own)]), 0), own)


def _nd_places(n: Node, shape: list[Any], indices: Any) -> Any:
    """Positions, in the tensor flattened over the indexed axes, of index tuples in the last dimension."""
    b = n.backend
    own, depth = list(b.shape(indices)), b.shape(indices)[-1]
    if not all(isinstance(size, int) for size in shape[1:depth]):  # the first one's size is in no stride
        raise n.refuse("into a free dimension")
    indices = positive_each(n, indices, shape[:depth])
    strides = np.array([int(np.prod(shape[a + 1 : depth], dtype=np.int64)) for a in range(depth)], dtype=np.int64)
    return b.reduce("sum", b.map("mul", indices, strides), [len(own) - 1], False)


def positive_each(n: Node, indices: Any, sizes: list[Any]) -> Any:
    """Index tuples counted from the front."""
    b = n.backend
    free = not all(isinstance(size, int) for size in sizes)
    limits = b.sizes_tensor(np.array(sizes, dtype=object)) if free else np.array(sizes, dtype=np.int64)
    if isinstance(indices, np.ndarray) and not free:
        return np.where(indices < 0, indices + limits, indices).astype(np.int64)
    indices = b.cast(indices, "int64")
    return b.map("where", b.map("lt", indices, np.asarray(0)), b.map("add", indices, limits), indices)


def _gather_nd(n: Node) -> Any:
    b, x, indices = n.backend, n.inputs[0], n.inputs[1]
    shape, own = list(b.shape(x)), list(b.shape(indices))
    batch = n.attribute("batch_dims", 0)
    depth = own[-1]
    if not batch:
        flat = b.reshape(x, [product(shape[:depth]), *shape[depth:]])
        return b.take(flat, _nd_places(n, shape, indices), 0)
    if not all(isinstance(size, int) for size in [*shape, *own]):
        raise n.refuse("batch dimensions of free size")
    count = product(shape[:batch])
    inner = shape[batch : batch + depth]
    positions = b.reshape(_nd_places(n, inner, indices), [count, product(own[batch:-1])])
    positions = b.map("add", positions, np.arange(count, dtype=np.int64)[:, None] * product(inner))
    flat = b.reshape(x, [count * product(inner), *shape[batch + depth :]])
    return b.reshape(b.take(flat, positions, 0), [*own[:-1], *shape[batch + depth :]])


def _scattered(n: Node, indices: Any, updates: Any) -> Any:
    """The first input with updates at positions of the flattened tensor."""
    b, x = n.backend, n.inputs[0]
    shape = list(b.shape(x))
    how = n.attribute("reduction", b"none").decode()
    count = product(b.shape(updates))

    def apply(x: Any, updates: Any) -> Any:
        flat = b.scatter(b.reshape(x, [product(shape)]), b.reshape(indices, [count]), b.reshape(updates, [count]), how)
        return b.reshape(flat, shape)

    return wide(n, apply, x, updates)


def _scatter_elements(n: Node) -> Any:
    shape = list(n.backend.shape(n.inputs[0]))
    axis = n.axis(len(shape))
    indices, updates = positive(n, n.inputs[1], shape[axis]), n.inputs[2]
    own, given = list(n.backend.shape(indices)), list(n.backend.shape(updates))
    if (
        own != given
    ):  # torch's exporter hands on updates that are larger than the indices, of which torch reads the first
        if not all(isinstance(size, int) for size in (*own, *given)) or any(map(int.__gt__, own, given)):
            raise n.refuse(f"indices of shape {own} for updates of shape {given}")
        updates = n.backend.slice(updates, [slice(0, size) for size in own])
    return _scattered(n, _linear(n, shape, indices, axis), updates)


def _scatter_nd(n: Node) -> Any:
    b, (x, indices, updates) = n.backend, n.inputs
    shape, own = list(b.shape(x)), list(b.shape(indices))
    if not all(isinstance(size, int) for size in [*shape, *own]):
        raise n.refuse("a tensor of free size")
    rest = int(np.prod(shape[own[-1] :], dtype=np.int64))
    positions = b.reshape(_nd_places(n, shape, indices), [product(own[:-1]), 1])
    positions = b.map("add", b.map("mul", positions, np.asarray(rest)), np.arange(rest, dtype=np.int64)[None, :])
    return _scattered(n, positions, updates)


def _one_hot(n: Node) -> Any:
    b, indices, values = n.backend, n.inputs[0], n.inputs[2]
    depth = n.known(1, "the depth")
    assert depth is not None
    size = int(depth.reshape(-1)[0])
    shape = list(b.shape(indices))
    axis = n.axis(len(shape) + 1, -1)
    indices = positive(n, b.cast(indices, "int64"), size)
    hot = b.map("eq", b.reshape(indices, [*shape[:axis], 1, *shape[axis:]]), _grid_at(size, axis, len(shape) + 1))
    off, on = (b.reshape(b.slice(values, [slice(k, k + 1)]), []) for k in (0, 1))
    return b.map("where", hot, on, off)


def _tensor_scatter(n: Node) -> Any:
    """Each sample's update from its own place on; a circular one goes on at the beginning."""
    b, (cache, update), starts = n.backend, n.inputs[:2], n.given(2)
    shape = list(b.shape(cache))
    rank = len(shape)
    axis = n.axis(rank, -2)
    size, count = shape[axis], b.shape(update)[axis]
    if not isinstance(size, int) or not isinstance(count, int) or axis == 0:
        raise n.refuse("along a free dimension")
    indices = _grid_at(size, axis, rank)
    if starts is None:
        starts = np.zeros([1] * rank, dtype=np.int64)
    else:
        starts = b.reshape(b.cast(starts, "int64"), [shape[0], *[1] * (rank - 1)])
    own = b.map("sub", indices, starts)
    if n.attribute("mode", b"linear") == b"circular":
        own = b.map("mod", own, np.asarray(size, dtype=np.int64))
    written = b.map("and", b.map("ge", own, np.asarray(0)), b.map("lt", own, np.asarray(count)))
    own = b.map("min", b.map("max", own, np.asarray(0)), np.asarray(count - 1))
    if count == 0:
        return cache
    return b.map("where", written, b.take_along(update, b.broadcast(own, shape), axis), cache)


def _grid_at(size: int, axis: int, rank: int) -> np.ndarray:
    return np.arange(size, dtype=np.int64).reshape([-1 if a == axis else 1 for a in range(rank)])


def _compress(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    condition, axis = n.inputs[1], n.attribute("axis")
    if axis is None:
        x, axis = b.reshape(x, [product(b.shape(x))]), 0
    axis %= len(b.shape(x))
    declared = n.declared_shape()
    places = _places(n, condition, None if declared is None else declared[axis])
    return b.take(x, places, axis)


def _places(n: Node, there: Any, count: int | None) -> Any:
    """Where a vector is true, in order: as many places as the graph declares, if it does."""
    b = n.backend
    if isinstance(there, np.ndarray):
        return np.flatnonzero(there)
    (size,) = b.shape(there)
    if count is None or not isinstance(size, int):
        return b.positions(there)
    if count == 0:
        return np.zeros(0, dtype=np.int64)
    ranks = b.map("where", there, np.arange(size, 0, -1, dtype=np.int32), np.zeros(size, dtype=np.int32))
    return b.top(ranks, count, 0, True)[1]


def _nonzero(n: Node) -> Any:
    """The indices of all elements that are not 0, a row an axis."""
    b, x = n.backend, n.inputs[0]
    shape = b.shape(x)
    if not all(isinstance(size, int) for size in shape[1:]):
        raise n.refuse("in a tensor of free size")
    there = x if b.dtype(x) == "bool" else b.map("ne", x, np.zeros((), dtype=np.dtype(b.dtype(x))))
    declared = n.declared_shape()
    places = _places(n, b.reshape(there, [product(shape)]), None if declared is None else declared[1])
    found = b.cast(places, "int32")  # which TFLite divides
    rows = []
    for axis in range(len(shape)):
        rest = int(np.prod(shape[axis + 1 :], dtype=np.int64))
        at = found if rest == 1 else b.map("quotient", found, np.asarray(rest, np.int32))
        rows.append(at if axis == 0 else b.map("mod", at, np.asarray(shape[axis], np.int32)))
    return b.concat([b.reshape(b.cast(row, "int64"), [1, -1]) for row in rows], 0)


def _reverse_sequence(n: Node) -> Any:
    time, batch = n.attribute("time_axis", 0), n.attribute("batch_axis", 1)
    length = n.backend.shape(n.inputs[0])[time]
    if not isinstance(length, int):
        raise n.refuse("a free length")
    return reversed_within(n, n.inputs[0], n.inputs[1], length, time, batch)


def reversed_within(n: Node, x: Any, lengths: Any, length: int, time: int = 0, batch: int = 1) -> Any:
    """x with the first elements along `time` in reverse, as many as `lengths` says for each along `batch`."""
    b = n.backend
    shape = list(b.shape(x))
    rank = len(shape)
    lengths = b.reshape(b.cast(lengths, "int64"), [shape[a] if a == batch else 1 for a in range(rank)])
    indices = _grid_at(length, time, rank)
    back = b.map("sub", b.map("sub", lengths, np.asarray(1)), indices)
    index = b.map("where", b.map("lt", back, np.asarray(0)), indices, back)
    return b.take_along(x, b.broadcast(index, shape), time)


def _range(n: Node) -> Any:
    b = n.backend
    limits = [n.sizes(k, "a limit") for k in range(3)]
    (start,), (end,), (step,) = limits
    if start != 0 or step != 1 or isinstance(end, int):
        raise n.refuse("a limit depends on the model's inputs")
    ones = b.broadcast(np.ones(1, dtype=np.int64), [end])
    return b.map("sub", b.cumulative("sum", ones, 0), np.asarray(1))


def batch_numbers(n: Node, batch: Any, rank: int, step: int) -> Any:
    """0, step, 2 · step, … (int64) along the first of `rank` dimensions."""
    b, shape = n.backend, [batch, *[1] * (rank - 1)]
    if isinstance(batch, int):
        return (np.arange(batch, dtype=np.int64) * step).reshape(shape)
    steps = b.broadcast(np.full([1] * rank, step, dtype=np.int64), shape)
    return b.map("sub", b.cumulative("sum", steps, 0), np.asarray(step, dtype=np.int64))


OPERATORS: Mapping[str, Callable[[Node], Any]] = {
    "Slice": _slice, "Pad": _pad, "Gather": _gather, "GatherElements": _gather_elements, "GatherND": _gather_nd,
    "ScatterElements": _scatter_elements, "Scatter": _scatter_elements, "ScatterND": _scatter_nd, "OneHot": _one_hot,
    "TensorScatter": _tensor_scatter, "Compress": _compress, "NonZero": _nonzero, "ReverseSequence": _reverse_sequence, "Range": _range,
}  # fmt: skip
