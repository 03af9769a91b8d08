"""Operators that read an image at computed places: GridSample, AffineGrid, RoiAlign, DeformConv.

Along each axis a place has taps: whole positions, and how much each counts. The pixels at all combinations of them are rows that
are gathered from the image with channels last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .elementwise import is_float, like
from .indexing import batch_numbers
from .node import Node
from .sizes import product

Taps = tuple[Any, Any]
"""Positions (int64) and weights, the taps last; weights of None are 1."""

_FAR = float(1 << 30)
_A = -0.75  # of Keys' cubic convolution, as in ONNX' GridSample
_CUBIC = np.array(
    [[_A, _A + 2, _A + 2, _A], [-5 * _A, -_A - 3, -_A - 3, -5 * _A], [8 * _A, 0, 0, 8 * _A], [-4 * _A, 1, 1, -4 * _A]]
)


def between(n: Node, x: Any, low: float, high: float) -> Any:
    """x, not below `low` and not above `high`."""
    return n.backend.map("min", n.backend.map("max", x, like(n, x, low)), like(n, x, high))


def _column(n: Node, x: Any) -> Any:
    return n.backend.reshape(x, [*n.backend.shape(x), 1])


def _linear(n: Node, indices: Any) -> Taps:
    """The two neighbours of each place."""
    b = n.backend
    floor = b.map("floor", indices)
    rest = _column(n, b.map("sub", indices, floor))
    whole = b.map("add", _column(n, b.cast(floor, "int64")), np.arange(2, dtype=np.int64))
    far = b.map("abs", b.map("sub", rest, np.arange(2).astype(b.dtype(rest))))
    return whole, b.map("sub", like(n, far, 1), far)


def _cubic(n: Node, indices: Any) -> Taps:
    b, kind = n.backend, n.backend.dtype(indices)
    floor = b.map("floor", indices)
    rest = _column(n, b.map("sub", indices, floor))
    whole = b.map("add", _column(n, b.cast(floor, "int64")), np.arange(-1, 3, dtype=np.int64))
    far = b.map("abs", b.map("sub", rest, np.arange(-1, 3).astype(kind)))
    third, second, first, constant = _CUBIC.astype(kind)
    weights = b.map("add", b.map("mul", far, third), second)
    weights = b.map("add", b.map("mul", weights, far), first)
    return whole, b.map("add", b.map("mul", weights, far), constant)


def _nearest(n: Node, indices: Any) -> Taps:
    return _column(n, n.backend.cast(n.backend.map("round", indices), "int64")), None


def _inside(n: Node, whole: Any, length: int, padding: str, aligned: bool) -> Any:
    """Positions of the image, which is one zero wider on all sides where the padding is zeros."""
    b = n.backend
    if padding == "zeros":
        return b.map("add", between(n, whole, -1, length), np.asarray(1, dtype=np.int64))
    if padding == "border":
        return between(n, whole, 0, length - 1)
    period = 2 * (length - 1) if aligned else 2 * length
    first = b.map("mod", whole, np.asarray(period, dtype=np.int64))
    mirror = b.map("sub", np.asarray(period if aligned else period - 1, dtype=np.int64), first)
    return b.map("min", first, mirror)


def pixels(n: Node, x: Any, taps: Sequence[Taps], numbers: Any = None) -> tuple[Any, Any]:
    """What lies at all combinations of the axes' taps, and their weights.

    Args:
        n: the node.
        x: (N, C, …).
        taps: one for each spatial axis, (B, …, taps); the dimensions between broadcast.
        numbers: of the image for each of the B, times the pixels of an image; else B is N.

    Returns:
        Values (B, points, combinations, C) and weights (B, points, combinations, 1) or None.
    """
    b, count = n.backend, len(taps)
    batch, channels, *sizes = b.shape(x)
    strides = [int(np.prod(sizes[axis + 1 :], dtype=np.int64)) for axis in range(count)]
    indices = weights = None
    for axis, (whole, own) in enumerate(taps):
        shape = list(b.shape(whole))
        spread = [*shape[:-1], *[shape[-1] if a == axis else 1 for a in range(count)]]
        part = b.reshape(whole, spread)
        part = part if strides[axis] == 1 else b.map("mul", part, np.asarray(strides[axis], dtype=np.int64))
        indices = part if indices is None else b.map("add", indices, part)
        if own is not None:
            own = b.reshape(own, spread)
            weights = own if weights is None else b.map("mul", weights, own)
    shape = list(b.shape(indices))
    points, combinations = product(shape[1:-count]), product(shape[-count:])
    if numbers is None and not (isinstance(batch, int) and batch == 1):
        numbers = batch_numbers(n, batch, len(shape), product(sizes))
    elif numbers is not None:
        numbers = b.reshape(numbers, [shape[0], *[1] * (len(shape) - 1)])
    indices = indices if numbers is None else b.map("add", indices, numbers)
    rows = b.reshape(b.transpose(x, [0, *range(2, count + 2), 1]), [product([batch, *sizes]), channels])
    values = b.take(rows, b.reshape(indices, [shape[0], points, combinations]), 0)
    if weights is None:
        return values, None
    weights = b.cast(b.reshape(weights, [shape[0], points, combinations, 1]), b.dtype(x))
    return values, weights


def sampled(n: Node, x: Any, taps: Sequence[Taps], numbers: Any = None) -> Any:
    """The weighted sums (B, points, C) of what `pixels` finds."""
    b = n.backend
    values, weights = pixels(n, x, taps, numbers)
    if weights is None:
        return b.reshape(values, [*b.shape(values)[:2], b.shape(values)[3]])
    return b.reduce("sum", b.map("mul", values, weights), [2], False)


def _image(n: Node, x: Any) -> list[int]:
    sizes = list(n.backend.shape(x)[2:])
    if not all(isinstance(size, int) for size in [n.backend.shape(x)[1], *sizes]):
        raise n.refuse("an image of free size")
    if 0 in sizes:
        raise n.refuse("an image without pixels")
    return sizes


def _zero_around(n: Node, x: Any) -> Any:
    return n.backend.pad(x, [(0, 0), (0, 0), *[(1, 1)] * (len(n.backend.shape(x)) - 2)])


_MODES = {"bilinear": "linear", "bicubic": "cubic"}
_TAPS = {"linear": _linear, "cubic": _cubic, "nearest": _nearest}


def _grid_sample(n: Node) -> Any:
    b, (x, grid) = n.backend, n.inputs
    sizes, shape = _image(n, x), list(b.shape(grid))
    mode = n.attribute("mode", b"linear").decode()
    mode, padding = _MODES.get(mode, mode), n.attribute("padding_mode", b"zeros").decode()
    aligned = bool(n.attribute("align_corners", 0))
    if mode not in _TAPS or padding not in ("zeros", "border", "reflection"):
        raise n.refuse(f"mode {mode} with padding {padding}")
    if mode != "nearest" and not is_float(n, x):
        raise n.refuse(f"mode {mode} on elements of type {b.dtype(x)}")
    if not all(isinstance(size, int) for size in shape[1:]):
        raise n.refuse("a grid of free size")
    if mode == "cubic" and padding == "border":
        # onnx' reference first moves the place to the border, ONNX Runtime and torch each neighbour
        raise n.refuse("mode cubic with padding border is read in two ways")
    if padding == "reflection" and aligned and 1 in sizes:
        raise n.refuse("a reflection between the corners of a single pixel")
    count = len(sizes)
    grid = b.cast(
        b.reshape(grid, [shape[0], product(shape[1:-1]), count]),
        "float32" if b.dtype(grid) == "float16" else b.dtype(grid),
    )
    taps = []
    for axis, size in enumerate(sizes):
        at = count - 1 - axis  # the last axis comes first in a grid
        index = b.reshape(
            b.slice(grid, [slice(None), slice(None), slice(at, at + 1)]), [shape[0], product(shape[1:-1])]
        )
        one, half = like(n, index, 1), like(n, index, 2)
        index = b.map("add", index, one)
        if aligned:
            index = b.map("mul", b.map("div", index, half), like(n, index, size - 1))
        else:
            index = b.map("div", b.map("sub", b.map("mul", index, like(n, index, size)), one), half)
        far = (-_FAR, _FAR) if padding == "reflection" else (-4.0, size + 3.0)
        whole, weights = _TAPS[mode](n, between(n, index, *far))
        taps.append((_inside(n, whole, size, padding, aligned), weights))
    found = sampled(n, _zero_around(n, x) if padding == "zeros" else x, taps)
    return b.reshape(b.transpose(found, [0, 2, 1]), [shape[0], b.shape(x)[1], *shape[1:-1]])


def _affine_grid(n: Node) -> Any:
    b, theta = n.backend, n.inputs[0]
    sizes = n.sizes(1, "the size")[2:]
    if not all(isinstance(size, int) for size in sizes):
        raise n.refuse("a grid of free size")
    aligned = bool(n.attribute("align_corners", 0))
    if aligned and 1 in sizes:
        raise n.refuse("a single point between aligned corners")
    lines = [np.linspace(-1, 1, size) if aligned else (2 * np.arange(size) + 1) / size - 1 for size in sizes]
    mesh = np.meshgrid(*lines, indexing="ij")[::-1]
    base = np.stack([*[axis.reshape(-1) for axis in mesh], np.ones(product(sizes))]).astype(b.dtype(theta))
    grid = b.linear(theta, base, None)  # (N, coordinates, points)
    return b.reshape(b.transpose(grid, [0, 2, 1]), [b.shape(theta)[0], *sizes, len(sizes)])


def _roi_align(n: Node) -> Any:
    b, (x, rois, images) = n.backend, n.inputs
    sizes, ratio = _image(n, x), int(n.attribute("sampling_ratio", 0))
    if ratio <= 0:
        raise n.refuse("a sampling_ratio of 0 takes as many points as each region is large")
    # before 16 there is no shift: 16 calls that its backward-compatible mode (onnx' reference shifts by 16's default)
    shifted = n.opset >= 16 and n.attribute("coordinate_transformation_mode", b"half_pixel") == b"half_pixel"
    count, kind, scale = b.shape(rois)[0], b.dtype(rois), n.attribute("spatial_scale", 1.0)
    out = [int(n.attribute("output_height", 1)), int(n.attribute("output_width", 1))]
    scaled = b.map("mul", rois, like(n, rois, scale))
    scaled = b.map("sub", scaled, like(n, rois, 0.5)) if shifted else scaled
    taps = []
    for axis, (size, bins) in enumerate(zip(sizes, out, strict=True)):
        start, end = (b.slice(scaled, [slice(None), slice(at, at + 1)]) for at in (1 - axis, 3 - axis))
        extent = b.map("sub", end, start)
        extent = extent if shifted else b.map("max", extent, like(n, extent, 1))
        steps = ((np.arange(bins * ratio) + 0.5) / (bins * ratio)).astype(kind)[None]
        index = b.map("add", b.map("mul", extent, steps), start)
        index = b.reshape(index, [count, bins * ratio, 1] if axis == 0 else [count, 1, bins * ratio])
        outside = b.map("or", b.map("lt", index, like(n, index, -1)), b.map("gt", index, like(n, index, size)))
        whole, weights = _linear(n, between(n, index, 0, size - 1))
        weights = b.map("where", _column(n, outside), like(n, weights, 0), weights)
        taps.append((between(n, whole, 0, size - 1), weights))
    numbers = b.map("mul", b.cast(images, "int64"), np.asarray(product(sizes), dtype=np.int64))
    values, weights = pixels(n, x, taps, numbers)
    weighted = b.map("mul", values, weights)
    name = "sum" if n.attribute("mode", b"avg") == b"avg" else "max"  # of the weighted neighbours, not of the points
    channels = b.shape(x)[1]
    points = b.reduce(name, weighted, [2], False)
    points = b.reshape(points, [count, out[0], ratio, out[1] * ratio * channels])
    points = b.reduce(name, points, [2], False)
    points = b.reshape(points, [count, out[0] * out[1], ratio, channels])
    found = b.reduce(name, points, [2], False)
    found = b.map("div", found, like(n, found, ratio * ratio)) if name == "sum" else found
    return b.reshape(b.transpose(found, [0, 2, 1]), [count, channels, *out])


def _deform_conv(n: Node) -> Any:
    b, (x, w, offset) = n.backend, n.inputs[:3]
    sizes, bias, mask = _image(n, x), n.given(3), n.given(4)
    if len(sizes) != 2:
        raise n.refuse("over other than two dimensions")
    kernel, out = list(b.shape(w)[2:]), list(b.shape(offset)[2:])
    if not all(isinstance(size, int) for size in out):
        raise n.refuse("offsets of a free size")
    parts, groups = int(n.attribute("offset_group", 1)), int(n.attribute("group", 1))
    strides, dilations = (list(n.attribute(name, [1, 1])) for name in ("strides", "dilations"))
    pads, channels, taps = list(n.attribute("pads", [0] * 4)), b.shape(x)[1], product(kernel)
    batch, points = b.shape(offset)[0], product(kernel) * product(out)
    found = []
    offset = b.reshape(offset, [batch * parts, taps, 2, product(out)])
    for axis, size in enumerate(sizes):
        along = np.arange(kernel[axis])[:, None] * dilations[axis] + np.arange(out[axis]) * strides[axis] - pads[axis]
        base = along[:, None, :, None] if axis == 0 else along[None, :, None, :]
        base = np.broadcast_to(base, (*kernel, *out)).reshape(1, points).astype(b.dtype(offset))
        part = b.slice(offset, [slice(None), slice(None), slice(axis, axis + 1), slice(None)])
        index = b.map("add", b.reshape(part, [batch * parts, points]), base)
        whole, weights = _linear(n, between(n, index, -4, size + 3))
        found.append((_inside(n, whole, size, "zeros", False), weights))
    image = b.reshape(_zero_around(n, x), [batch * parts, channels // parts, *[size + 2 for size in sizes]])
    values = sampled(n, image, found)
    if mask is not None:
        values = b.map("mul", values, b.reshape(mask, [batch * parts, points, 1]))
    columns = b.transpose(b.reshape(values, [batch * parts, points, channels // parts]), [0, 2, 1])
    columns = b.reshape(columns, [batch, channels * taps, product(out)])
    weight = b.reshape(w, [b.shape(w)[0], b.shape(w)[1] * taps, 1])
    result = b.conv(columns, weight, bias, [1], [(0, 0)], [1], groups)
    return b.reshape(result, [batch, b.shape(w)[0], *out])


OPERATORS: Mapping[str, Callable[[Node], Any]] = {
    "GridSample": _grid_sample, "AffineGrid": _affine_grid, "RoiAlign": _roi_align, "DeformConv": _deform_conv,
}  # fmt: skip
