"""Operators that move elements without computing on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from onnx import helper, numpy_helper

from .elementwise import like
from .node import Node
from .sizes import product, settled


def _shape(n: Node) -> Any:
    shape = list(n.backend.shape(n.inputs[0]))
    return settled(
        np.array([*shape, None], dtype=object)[:-1][n.attribute("start", 0) : n.attribute("end", len(shape))]
    )


def _size(n: Node) -> Any:
    holder = np.empty((), dtype=object)
    holder[()] = product(n.backend.shape(n.inputs[0]))
    return settled(holder)


def _reshape(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    wanted = list(n.attribute("shape")) if n.opset < 5 else n.sizes(1, "the shape")
    shape = b.shape(x)
    if not n.attribute("allowzero", 0):
        wanted = [shape[axis] if isinstance(size, int) and size == 0 else size for axis, size in enumerate(wanted)]
    return b.reshape(x, wanted)


def _flatten(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    shape = b.shape(x)
    axis = n.attribute("axis", 1)
    axis = axis + len(shape) if axis < 0 else axis
    return b.reshape(x, [product(shape[:axis]), product(shape[axis:])])


def _squeeze(n: Node) -> Any:
    shape = n.backend.shape(n.inputs[0])
    axes = n.axes(len(shape))
    axes = [axis for axis, size in enumerate(shape) if size == 1] if axes is None else axes
    return n.backend.reshape(n.inputs[0], [size for axis, size in enumerate(shape) if axis not in axes])


def _unsqueeze(n: Node) -> Any:
    shape = list(n.backend.shape(n.inputs[0]))
    given = n.attribute("axes")
    if given is None:
        value = n.known(1, "the list of axes")
        assert value is not None
        given = value.reshape(-1).tolist()
    rank = len(shape) + len(given)
    for axis in sorted(int(axis) % rank for axis in given):
        shape.insert(axis, 1)
    return n.backend.reshape(n.inputs[0], shape)


def _transpose(n: Node) -> Any:
    rank = len(n.backend.shape(n.inputs[0]))
    return n.backend.transpose(n.inputs[0], list(n.attribute("perm", range(rank)[::-1])))


def broadcast_sizes(n: Node, one: list[Any], other: list[Any]) -> list[Any]:
    """The sizes of two operands together, as numpy broadcasts them."""
    rank = max(len(one), len(other))
    pairs = zip([1] * (rank - len(one)) + one, [1] * (rank - len(other)) + other, strict=True)
    return [b if isinstance(a, int) and a == 1 else a for a, b in pairs]


def _expand(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    return b.broadcast(x, broadcast_sizes(n, list(b.shape(x)), n.sizes(1, "the shape")))


def _tile(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    shape, repeats = list(b.shape(x)), n.sizes(1, "the number of repeats")
    if all(isinstance(repeat, int) for repeat in repeats):
        return b.tile(x, repeats) if any(repeat != 1 for repeat in repeats) else x
    split = [size for pair in zip([1] * len(shape), shape, strict=True) for size in pair]
    wanted = [size for pair in zip(repeats, shape, strict=True) for size in pair]
    return b.reshape(b.broadcast(b.reshape(x, split), wanted), [r * s for r, s in zip(repeats, shape, strict=True)])


def _concat(n: Node) -> Any:
    rank = len(n.backend.shape(n.inputs[0]))
    return n.backend.concat(n.inputs, n.attribute("axis", 1) % rank)


def _split(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    shape = b.shape(x)
    axis, count = n.axis(len(shape)), len(n.outputs)
    sizes = n.attribute("split")
    given = n.known(1, "the sizes of the parts") if sizes is None else None
    if given is not None:
        sizes = given.reshape(-1).tolist()
    elif sizes is None:
        if not isinstance(shape[axis], int):
            raise n.refuse("equal parts of a free dimension")
        each = -(-shape[axis] // count)
        sizes = [min(each, shape[axis] - each * part) for part in range(count)]
    return tuple(parts(n, x, axis, sizes))


def parts(n: Node, x: Any, axis: int, sizes: list[int]) -> list[Any]:
    """x cut along an axis."""
    cuts = np.cumsum([0, *sizes]).tolist()
    rank = len(n.backend.shape(x))
    return [
        n.backend.slice(x, [slice(a, z) if dim == axis else slice(None) for dim in range(rank)])
        for a, z in pairwise(cuts)
    ]


def _depth_to_space(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    batch, channels, *space = b.shape(x)
    block, count = n.attribute("blocksize"), len(b.shape(x)) - 2
    depth = channels // block**count
    blocks = list(range(count))
    if n.attribute("mode", b"DCR") == b"DCR":
        split = b.reshape(x, [batch, *[block] * count, depth, *space])
        order = [0, 1 + count, *[axis for d in blocks for axis in (2 + count + d, 1 + d)]]
    else:
        split = b.reshape(x, [batch, depth, *[block] * count, *space])
        order = [0, 1, *[axis for d in blocks for axis in (2 + count + d, 2 + d)]]
    return b.reshape(b.transpose(split, order), [batch, depth, *[size * block for size in space]])


def _space_to_depth(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    batch, channels, *space = b.shape(x)
    block, count = n.attribute("blocksize"), len(b.shape(x)) - 2
    split = b.reshape(x, [batch, channels, *[part for size in space for part in (size // block, block)]])
    inner, outer = [3 + 2 * d for d in range(count)], [2 + 2 * d for d in range(count)]
    if n.attribute("mode", b"DCR") == b"CRD":
        order = [0, 1, *inner, *outer]
    else:
        order = [0, *inner, 1, *outer]
    return b.reshape(b.transpose(split, order), [batch, channels * block**count, *[size // block for size in space]])


def _constant_of_shape(n: Node) -> Any:
    value = n.attribute("value")
    scalar = np.zeros(1, np.float32) if value is None else numpy_helper.to_array(value)
    sizes = n.sizes(0, "the shape")
    return n.backend.broadcast(scalar.reshape([1] * len(sizes)) if sizes else scalar.reshape(()), sizes)


def _eye(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    rows, columns = b.shape(x)
    kind = (
        np.dtype(helper.tensor_dtype_to_np_dtype(n.attribute("dtype")))
        if n.attribute("dtype")
        else np.dtype(b.dtype(x))
    )
    if not isinstance(rows, int) or not isinstance(columns, int):
        raise n.refuse("of a free size")
    return np.eye(rows, columns, k=n.attribute("k", 0)).astype(kind)


def _trilu(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    given = n.given(1)
    rows, columns = b.shape(x)[-2:]
    if not isinstance(rows, int) or not isinstance(columns, int):
        raise n.refuse("of a free size")
    if given is not None and not isinstance(given, np.ndarray):
        above = np.arange(columns, dtype=np.int64) - np.arange(rows, dtype=np.int64)[:, None]
        keep = b.map("le" if n.attribute("upper", 1) else "ge", b.reshape(b.cast(given, "int64"), [1, 1]), above)
        return b.map("where", keep, x, like(n, x, 0))
    k = 0 if given is None else int(given.reshape(-1)[0])
    ones = np.ones((rows, columns), dtype=bool)
    return b.map("where", np.triu(ones, k) if n.attribute("upper", 1) else np.tril(ones, k), x, like(n, x, 0))


def _sequence_at(n: Node) -> Any:
    at = n.known(1, "the position")
    assert at is not None
    return n.inputs[0][int(at.reshape(-1)[0])]


def _sequence_insert(n: Node) -> Any:
    at = n.known(2, "the position")
    items = list(n.inputs[0])
    index = len(items) if at is None else int(at.reshape(-1)[0])
    items.insert(index, n.inputs[1])
    return (items,)


def _sequence_erase(n: Node) -> Any:
    at = n.known(1, "the position")
    items = list(n.inputs[0])
    del items[-1 if at is None else int(at.reshape(-1)[0])]
    return (items,)


def _split_to_sequence(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    axis = n.axis(len(b.shape(x)))
    size = b.shape(x)[axis]
    if not isinstance(size, int):
        raise n.refuse("a free dimension")
    given = n.known(1, "the sizes of the parts")
    if given is None:
        sizes = [1] * size
    elif given.ndim == 0:
        each = int(given)
        sizes = [min(each, size - start) for start in range(0, size, each)]
    else:
        sizes = given.tolist()
    cut = parts(n, x, axis, sizes)
    if given is None and not n.attribute("keepdims", 1):
        cut = [b.reshape(part, [s for a, s in enumerate(b.shape(part)) if a != axis]) for part in cut]
    return (cut,)


def _concat_from_sequence(n: Node) -> Any:
    b, items = n.backend, n.inputs[0]
    rank = len(b.shape(items[0]))
    if n.attribute("new_axis", 0):
        axis = n.attribute("axis") % (rank + 1)
        items = [b.reshape(x, [*b.shape(x)[:axis], 1, *b.shape(x)[axis:]]) for x in items]
        return b.concat(items, axis)
    return b.concat(items, n.attribute("axis") % rank)


READS_SIZES = {
    "Reshape",
    "Expand",
    "Tile",
    "ConstantOfShape",
    "Slice",
    "Range",
    "Upsample",
    "Resize",
    "Pad",
    "AffineGrid",
    "MaxUnpool",
}
OPERATORS: Mapping[str, Callable[[Node], Any]] = {
    "Shape": _shape, "Size": _size, "Reshape": _reshape, "Flatten": _flatten, "Squeeze": _squeeze, "Unsqueeze": _unsqueeze,
    "Transpose": _transpose, "Expand": _expand, "Tile": _tile, "Concat": _concat, "Split": _split,
    "DepthToSpace": _depth_to_space, "SpaceToDepth": _space_to_depth, "ConstantOfShape": _constant_of_shape, "EyeLike": _eye,
    "Trilu": _trilu, "SequenceConstruct": lambda n: (list(n.inputs),), "SequenceAt": _sequence_at,
    "SequenceEmpty": lambda n: ([],), "SequenceInsert": _sequence_insert, "SequenceErase": _sequence_erase,
    "SequenceLength": lambda n: np.asarray(len(n.inputs[0]), dtype=np.int64), "SplitToSequence": _split_to_sequence,
    "ConcatFromSequence": _concat_from_sequence,
}  # fmt: skip
