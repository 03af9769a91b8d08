"""Operators that put windows back into an image: Col2Im and MaxUnpool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .elementwise import is_float
from .node import Node
from .sizes import product


def _col2im(n: Node) -> Any:
    """A transposed convolution of the columns whose kernel puts each of them at its own place of the window."""
    b, x = n.backend, n.inputs[0]
    image, block = n.sizes(1, "the size of the image"), n.sizes(2, "the size of the blocks")
    if not all(isinstance(size, int) for size in [*image, *block, *b.shape(x)[1:]]):
        raise n.refuse("a free size")
    if not is_float(n, x):
        raise n.refuse(f"elements of type {b.dtype(x)}")
    count = len(image)
    strides, dilations = (list(n.attribute(name, [1] * count)) for name in ("strides", "dilations"))
    pads = list(n.attribute("pads", [0] * 2 * count))
    extents = [(size - 1) * dilation + 1 for size, dilation in zip(block, dilations, strict=True)]
    whole = [image[axis] + pads[axis] + pads[count + axis] for axis in range(count)]
    blocks = [(size - extent) // stride + 1 for size, extent, stride in zip(whole, extents, strides, strict=True)]
    batch, depth, length = b.shape(x)
    taps = product(block)
    if length != product(blocks) or depth % taps:
        raise n.refuse(f"{depth} x {length} columns do not make an image of {image} in blocks of {block}")
    columns = b.reshape(x, [product([batch, depth // taps]), taps, *blocks])
    kernel = np.eye(taps, dtype=np.dtype(b.dtype(x))).reshape(taps, 1, *block)
    made = b.conv_transpose(columns, kernel, strides, dilations, 1)
    reached = [(size - 1) * stride + extent for size, stride, extent in zip(blocks, strides, extents, strict=True)]
    rest = [(0, size - own) for size, own in zip(whole, reached, strict=True)]
    made = b.pad(made, [(0, 0), (0, 0), *rest]) if any(after for _, after in rest) else made
    made = b.slice(
        made, [slice(None), slice(None), *[slice(pads[axis], pads[axis] + image[axis]) for axis in range(count)]]
    )
    return b.reshape(made, [batch, depth // taps, *image])


def _max_unpool(n: Node) -> Any:
    b, (x, indices) = n.backend, n.inputs[:2]
    shape, kernel = list(b.shape(x)), list(n.attribute("kernel_shape"))
    count = len(kernel)
    strides, pads = list(n.attribute("strides", [1] * count)), list(n.attribute("pads", [0] * 2 * count))
    if any(stride < size for stride, size in zip(strides, kernel, strict=True)):
        raise n.refuse("windows that overlap may name one place twice")
    if not all(isinstance(size, int) for size in shape[1:]):
        raise n.refuse("places in a free size")
    inferred = [
        *shape[:2],
        *[
            (shape[axis + 2] - 1) * strides[axis] + kernel[axis] - pads[axis] - pads[count + axis]
            for axis in range(count)
        ],
    ]
    wanted = inferred if n.given(2) is None else n.sizes(2, "the shape of the output")
    if wanted != inferred:
        # whether the places count in the inferred shape or in the wanted one is read in two ways
        raise n.refuse(f"an output_shape of {wanted} other than the inferred {inferred}")
    zeros = b.broadcast(np.zeros(1, dtype=np.dtype(b.dtype(x))), [product(inferred)])
    flat = b.scatter(
        zeros, b.reshape(b.cast(indices, "int64"), [product(shape)]), b.reshape(x, [product(shape)]), "none"
    )
    return b.reshape(flat, inferred)


OPERATORS: Mapping[str, Callable[[Node], Any]] = {"Col2Im": _col2im, "MaxUnpool": _max_unpool}
