"""Convolutions and pools; `auto_pad` and `ceil_mode` become explicit pads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .elementwise import like
from .indexing import batch_numbers
from .node import Node
from .sizes import product

Pairs = list[tuple[int, int]]


@dataclass(frozen=True)
class Geometry:
    """Of a window that slides over the spatial dimensions."""

    kernel: list[int]
    strides: list[int]
    dilations: list[int]
    pads: Pairs

    @property
    def extents(self) -> list[int]:
        """What the dilated kernel covers."""
        return [(size - 1) * dilation + 1 for size, dilation in zip(self.kernel, self.dilations, strict=True)]


def geometry(n: Node, sizes: Sequence[Any], kernel: Sequence[int]) -> Geometry:
    """The window's geometry over spatial sizes, with explicit pads."""
    count = len(kernel)
    strides = list(n.attribute("strides", [1] * count))
    dilations = list(n.attribute("dilations", [1] * count))
    given = list(n.attribute("pads", [0] * 2 * count))
    mode = n.attribute("auto_pad", b"NOTSET").decode()
    found = Geometry(list(kernel), strides, dilations, list(zip(given[:count], given[count:], strict=True)))
    if mode == "VALID":
        return Geometry(list(kernel), strides, dilations, [(0, 0)] * count)
    if mode == "NOTSET":
        return found
    pads = []
    for size, stride, extent in zip(sizes, strides, found.extents, strict=True):
        if not isinstance(size, int) and stride != 1:
            raise n.refuse(f"auto_pad {mode} over a free dimension")
        total = extent - 1 if stride == 1 else max((-(-size // stride) - 1) * stride + extent - size, 0)
        small, large = total // 2, total - total // 2
        pads.append((small, large) if mode == "SAME_UPPER" else (large, small))
    return Geometry(list(kernel), strides, dilations, pads)


def _conv(n: Node) -> Any:
    x, w, bias = n.inputs[0], n.inputs[1], n.given(2)
    return convolved(n, x, w, bias)


def convolved(n: Node, x: Any, w: Any, bias: Any) -> Any:
    """The convolution that the node's attributes describe."""
    b = n.backend
    g = geometry(n, b.shape(x)[2:], b.shape(w)[2:])
    return b.conv(x, w, bias, g.strides, g.pads, g.dilations, n.attribute("group", 1))


def _conv_transpose(n: Node) -> Any:
    b, x, w, bias = n.backend, n.inputs[0], n.inputs[1], n.given(2)
    sizes, kernel = b.shape(x)[2:], b.shape(w)[2:]
    count = len(kernel)
    strides, dilations = (list(n.attribute(name, [1] * count)) for name in ("strides", "dilations"))
    extra = list(n.attribute("output_padding", [0] * count))
    wanted, mode = n.attribute("output_shape"), n.attribute("auto_pad", b"NOTSET").decode()
    given = list(n.attribute("pads", [0] * 2 * count))
    y = b.conv_transpose(x, w, strides, dilations, n.attribute("group", 1))
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    parts, pads = [slice(None), slice(None)], [(0, 0), (0, 0)]
    for axis in range(count):
        begin, end = given[axis], given[count + axis]
        if wanted is not None or mode.startswith("SAME"):
            if not isinstance(sizes[axis], int):
                raise n.refuse("an output shape over a free dimension")
            size = list(wanted)[-count:][axis] if wanted is not None else sizes[axis] * strides[axis]
            total = strides[axis] * (sizes[axis] - 1) + extra[axis] + extents[axis] - size
            # the ONNX text and its runtimes: the odd one goes to the end for SAME_UPPER, else to the beginning
            begin = total // 2 if mode == "SAME_UPPER" else total - total // 2
            end = total - begin
        cut, grow = max(end - extra[axis], 0), max(extra[axis] - end, 0)
        pads.append((max(-begin, 0), grow))
        parts.append(slice(max(begin, 0), -cut if cut else None))
    y = b.slice(y, parts)
    y = b.pad(y, pads) if any(a or z for a, z in pads) else y
    return y if bias is None else b.map("add", y, b.reshape(bias, [1, -1, *[1] * count]))


def _rounded_up(n: Node, g: Geometry, sizes: Sequence[Any]) -> Pairs:
    """What `ceil_mode` adds to the pads' ends; a window that would begin in them is left out."""
    added = []
    for size, stride, extent, (begin, end) in zip(sizes, g.strides, g.extents, g.pads, strict=True):
        if not n.attribute("ceil_mode", 0) or stride == 1:
            added.append((0, 0))
            continue
        if not isinstance(size, int):
            raise n.refuse("ceil_mode over a free dimension")
        windows = -(-(size + begin + end - extent) // stride) + 1
        if (windows - 1) * stride >= size + begin:
            windows -= 1
        added.append((0, max((windows - 1) * stride + extent - size - begin - end, 0)))
    return added


def _sum(pairs: Pairs, added: Pairs) -> Pairs:
    return [(a + c, z + d) for (a, z), (c, d) in zip(pairs, added, strict=True)]


def _windows(n: Node, name: str, x: Any, g: Geometry) -> Any:
    """max or sum over the windows of a padded tensor."""
    b = n.backend
    if name == "max" and all(d == 1 for d in g.dilations) and "float" in b.dtype(x):
        return b.window("max", x, g.kernel, g.strides)
    if name == "sum" and all(d == 1 for d in g.dilations):
        return b.map("mul", b.window("mean", x, g.kernel, g.strides), like(n, x, product(g.kernel)))
    result = None
    for offsets in itertools.product(*[range(size) for size in g.kernel]):
        parts = [slice(None), slice(None)]
        for axis, offset in enumerate(offsets):
            start = offset * g.dilations[axis]
            last = start - g.extents[axis] + 1
            parts.append(slice(start, last if last < 0 else None, g.strides[axis]))
        part = b.slice(x, parts)
        result = part if result is None else b.map("max" if name == "max" else "add", result, part)
    return result


def _lowest(kind: str) -> Any:
    return -np.inf if "float" in kind else np.iinfo(kind).min


def _max_pool(n: Node) -> Any:
    if len(n.outputs) > 1 and n.outputs[1]:
        return _max_pool_with_indices(n)
    return _pooled_max(n, n.inputs[0])


def _pooled_max(n: Node, x: Any) -> Any:
    b = n.backend
    kind = b.dtype(x)
    if kind in ("int8", "uint8"):
        return b.cast(_pooled_max(n, b.cast(x, "int32")), kind)
    sizes = b.shape(x)[2:]
    g = geometry(n, sizes, n.attribute("kernel_shape"))
    pads = _sum(g.pads, _rounded_up(n, g, sizes))
    if any(a or z for a, z in pads):
        x = b.pad(x, [(0, 0), (0, 0), *pads], _lowest(kind))
    return _windows(n, "max", x, g)


def _max_pool_with_indices(n: Node) -> Any:
    """Indices into the flattened input: each candidate position is compared with its window's maximum; the first wins."""
    b, x = n.backend, n.inputs[0]
    shape = list(b.shape(x))
    if not all(isinstance(size, int) for size in shape[1:]):
        raise n.refuse("indices of a free size")
    batch, sizes = shape[0], shape[2:]
    shape = [1, *shape[1:]]
    indices = np.arange(product(shape), dtype=np.int64).reshape(shape)
    if n.attribute("storage_order", 0):
        order = [0, 1, *range(len(shape) - 1, 1, -1)]
        column = np.arange(product(shape), dtype=np.int64).reshape([shape[axis] for axis in order])
        indices = column.transpose(np.argsort(order))
    g = geometry(n, sizes, n.attribute("kernel_shape"))
    pads = [(0, 0), (0, 0), *_sum(g.pads, _rounded_up(n, g, sizes))]
    kind = b.dtype(x)
    values = b.pad(b.cast(x, "int32") if kind in ("int8", "uint8") else x, pads, _lowest(kind))
    positions = np.pad(indices, pads)
    best = index = None
    for offsets in itertools.product(*[range(size) for size in g.kernel]):
        parts = [slice(None), slice(None)]
        for axis, offset in enumerate(offsets):
            start = offset * g.dilations[axis]
            last = start - g.extents[axis] + 1
            parts.append(slice(start, last if last < 0 else None, g.strides[axis]))
        value, position = b.slice(values, parts), positions[tuple(parts)]
        if best is None:
            best, index = value, position
        else:
            better = b.map("gt", value, best)
            best, index = b.map("where", better, value, best), b.map("where", better, position, index)
    return b.cast(best, kind), b.map("add", batch_numbers(n, batch, len(shape), product(shape)), index)


def _average_pool(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    sizes = b.shape(x)[2:]
    g = geometry(n, sizes, n.attribute("kernel_shape"))
    added = _rounded_up(n, g, sizes)
    pads = _sum(g.pads, added)
    padded = any(a or z for a, z in pads)
    if not padded and all(d == 1 for d in g.dilations):
        return b.window("mean", x, g.kernel, g.strides)
    total = _windows(n, "sum", b.pad(x, [(0, 0), (0, 0), *pads]) if padded else x, g)
    if not padded:
        return b.map("div", total, like(n, x, product(g.kernel)))
    if not all(isinstance(size, int) for size in sizes):
        raise n.refuse("a padded average over a free dimension")
    inside = [(a, z) if n.attribute("count_include_pad", 0) else (0, 0) for a, z in g.pads]
    counts: Any = np.ones((), dtype=np.int64)
    for axis, (size, own, all_pads) in enumerate(zip(sizes, inside, pads, strict=True)):
        begin = all_pads[0] - own[0]
        marks = np.zeros(size + sum(all_pads), dtype=np.int64)
        marks[begin : all_pads[0] + size + own[1]] = 1
        starts = np.arange(0, len(marks) - g.extents[axis] + 1, g.strides[axis])
        along = sum(marks[starts + k * g.dilations[axis]] for k in range(g.kernel[axis]))
        counts = counts[..., None] * along if axis else along
    return b.map("div", total, counts.astype(b.dtype(x))[None, None])


def _lp_pool(n: Node) -> Any:
    b, x, p = n.backend, n.inputs[0], n.attribute("p", 2)
    sizes = b.shape(x)[2:]
    g = geometry(n, sizes, n.attribute("kernel_shape"))
    pads = _sum(g.pads, _rounded_up(n, g, sizes))
    powers = b.map("pow", b.map("abs", x), like(n, x, p))
    total = _windows(n, "sum", b.pad(powers, [(0, 0), (0, 0), *pads]), g)
    return b.map("pow", total, like(n, x, 1 / p))


def _global(name: str) -> Callable[[Node], Any]:
    def apply(n: Node) -> Any:
        x = n.inputs[0]
        return n.backend.reduce(name, x, list(range(2, len(n.backend.shape(x)))), True)

    return apply


def _global_lp(n: Node) -> Any:
    b, x, p = n.backend, n.inputs[0], n.attribute("p", 2)
    powers = b.map("pow", b.map("abs", x), like(n, x, p))
    return b.map("pow", b.reduce("sum", powers, list(range(2, len(b.shape(x)))), True), like(n, x, 1 / p))


OPERATORS: Mapping[str, Callable[[Node], Any]] = {
    "Conv": _conv, "ConvTranspose": _conv_transpose, "MaxPool": _max_pool, "AveragePool": _average_pool, "LpPool": _lp_pool,
    "GlobalAveragePool": _global("mean"), "GlobalMaxPool": _global("max"), "GlobalLpPool": _global_lp,
}  # fmt: skip
