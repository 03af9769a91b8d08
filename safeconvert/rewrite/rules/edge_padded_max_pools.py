"""Write max pooling without padding of its own, its function unchanged."""

from __future__ import annotations

import math

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.graph.fold import replace_nodes
from safeconvert.graph.shapes import inferred_shapes


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Bring the padding of each MaxPool (`pads`, `auto_pad`, `ceil_mode`) out in front of it: the edge, repeated.

    ONNX MaxPool-12 pads with the lowest value. Repeating the edge is the same: a window that reaches past the edge by at
    most half its size holds what it repeats. onnx2keras 0.0.25 pads with zeros instead, which is wrong for negative
    inputs, drops what `ceil_mode` adds, and ignores `auto_pad`. Pools that it reads right (odd window, stride 1, half of
    the window on each side) stay, and so do those where the rule does not apply (dilations, wide pads, unknown sizes).
    """
    shapes = inferred_shapes(model)
    nodes: list[onnx.NodeProto] = []
    for node in model.graph.node:
        shape = shapes.get(node.input[0]) if node.op_type == "MaxPool" and len(node.output) == 1 else None
        pads = _pads(node, shape) if shape is not None else None
        if pads is not None and shape is not None and any(pads[0] + pads[1]):
            nodes.extend(_repeated_edges(model.graph, node, shape, *pads))
        nodes.append(node)
    replace_nodes(model.graph, nodes)
    return model


def _pads(node: onnx.NodeProto, shape: tuple[int | None, ...]) -> tuple[list[int], list[int]] | None:
    """Padding in front and behind, by image axis, or None where the pool has to stay as it is."""
    own = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    kernel = list(own["kernel_shape"])
    rank = len(kernel)
    strides = list(own.get("strides", [1] * rank))
    given = list(own.get("pads", [0] * 2 * rank))
    auto = own.get("auto_pad", b"NOTSET").decode()
    if any(size != 1 for size in own.get("dilations", [])) or len(shape) != rank + 2 or None in shape[2:]:
        return None
    if auto == "NOTSET" and not own.get("ceil_mode", 0) and _half(kernel, strides, given):
        return None
    front, back = given[:rank], given[rank:]
    for axis in range(rank):
        size = shape[axis + 2] or 0
        if auto in ("SAME_UPPER", "SAME_LOWER", "VALID"):
            front[axis] = back[axis] = 0
        if auto.startswith("SAME"):
            total = max((math.ceil(size / strides[axis]) - 1) * strides[axis] + kernel[axis] - size, 0)
            less, more = total // 2, total - total // 2
            front[axis], back[axis] = (less, more) if auto == "SAME_UPPER" else (more, less)
        elif own.get("ceil_mode", 0):
            count = _ceiled(size + front[axis] + back[axis], kernel[axis], strides[axis], size + front[axis])
            back[axis] = max((count - 1) * strides[axis] + kernel[axis] - size - front[axis], 0)
    if any(2 * pad > size for pad, size in zip(front + back, kernel * 2, strict=True)):
        return None
    return front, back


def _ceiled(padded: int, kernel: int, stride: int, end: int) -> int:
    """Windows along an axis with ceil_mode; one that would start in the padding behind is left out."""
    count = math.ceil((padded - kernel) / stride) + 1
    return count - 1 if (count - 1) * stride >= end else count


def _half(kernel: list[int], strides: list[int], pads: list[int]) -> bool:
    return (
        all(size % 2 == 1 for size in kernel)
        and all(stride == 1 for stride in strides)
        and pads == [size // 2 for size in kernel] * 2
    )


def _repeated_edges(
    graph: onnx.GraphProto, node: onnx.NodeProto, shape: tuple[int | None, ...], front: list[int], back: list[int]
) -> list[onnx.NodeProto]:
    """The nodes in front of a pool, a Slice for each edge and a Concat for each axis; the pool loses its own padding."""
    made: list[onnx.NodeProto] = []
    current = node.input[0]
    for axis, (before, after) in enumerate(zip(front, back, strict=True), start=2):
        first: list[str] = []
        last: list[str] = []
        for side, count, start in ((first, before, 0), (last, after, (shape[axis] or 1) - 1)):
            if count:
                name = f"{node.output[0]}_edge{axis}_{start}"
                limits = {"starts": start, "ends": start + 1, "axes": axis}
                graph.initializer.extend(
                    numpy_helper.from_array(np.array([value], np.int64), f"{name}_{key}")
                    for key, value in limits.items()
                )
                made.append(helper.make_node("Slice", [current, *(f"{name}_{key}" for key in limits)], [name], name))
                side += [name] * count
        parts = [*first, current, *last]
        if len(parts) > 1:
            current = f"{node.output[0]}_padded{axis}"
            made.append(helper.make_node("Concat", parts, [current], current, axis=axis))
    kept = [attribute for attribute in node.attribute if attribute.name in ("kernel_shape", "strides")]
    pool = helper.make_node("MaxPool", [current], list(node.output), node.name)
    pool.attribute.extend(kept)
    node.CopyFrom(pool)
    return made
