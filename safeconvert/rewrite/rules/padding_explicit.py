"""Padding in numbers."""

from __future__ import annotations

import math

import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_KINDS = ("Conv", "AveragePool", "ConvTranspose")


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write `auto_pad`, and the `output_shape` of ConvTranspose, as `pads`, where the sizes are known.

    onnx2keras 0.0.25 ignores `auto_pad` (a Conv with SAME_UPPER and stride 2 comes out in another size), and onnx2torch 1.5.15
    ignores `output_shape` and refuses pads that are not the same on both sides. MaxPool has a rule of its own.
    """
    return rewritten(model, _KINDS, _explicit)


def _explicit(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    attributes = explicit_attributes(node)
    auto = attributes.get("auto_pad", "NOTSET")
    wanted = attributes.get("output_shape")
    shape = graph.shapes.get(node.input[0], ())
    kernel = attributes.get("kernel_shape")
    if kernel is None and node.op_type != "AveragePool":
        kernel = graph.shapes.get(node.input[1], ())[2:]
    if (auto == "NOTSET" and not wanted) or not kernel or None in kernel:
        return None
    rank = len(kernel)
    sizes = shape[2:] if len(shape) == rank + 2 else ()
    if auto != "VALID" and (not sizes or None in sizes):
        return None
    strides = attributes.get("strides", [1] * rank)
    reach = [(size - 1) * d + 1 for size, d in zip(kernel, attributes.get("dilations", [1] * rank), strict=True)]
    front, back = [], []
    for axis in range(rank):
        size = int(sizes[axis] or 0) if sizes else 0
        if node.op_type == "ConvTranspose":
            own = attributes.get("output_padding", [0] * rank)[axis]
            full = strides[axis] * (size - 1) + own + reach[axis]
            total = (
                full - (wanted[-rank:][axis] if wanted else size * strides[axis]) if auto != "VALID" or wanted else 0
            )
        elif auto == "VALID":
            total = 0
        else:
            total = max((math.ceil(size / strides[axis]) - 1) * strides[axis] + reach[axis] - size, 0)
        less, more = total // 2, total - total // 2
        if total < 0:
            return None
        upper = auto == "SAME_UPPER"
        front.append(less if upper else more)
        back.append(more if upper else less)
    kept = [a for a in node.attribute if a.name not in ("auto_pad", "output_shape", "pads", "output_padding")]
    if node.op_type == "ConvTranspose":
        # one taken off more in front is the same as that much taken off on both sides and one put on behind
        extra = [(0, 1)[a == b + 1] for a, b in zip(front, back, strict=True)]
        if all(not more or stride > 1 for more, stride in zip(extra, strides, strict=True)):
            back = [size + more for size, more in zip(back, extra, strict=True)]
            said_so = attributes.get("output_padding", [0] * rank)
            grown = [size + more for size, more in zip(said_so, extra, strict=True)]
            if any(grown):
                kept.append(helper.make_attribute("output_padding", grown))
    made = helper.make_node(node.op_type, list(node.input), list(node.output), node.name, pads=[*front, *back])
    made.attribute.extend(kept)
    return [made]
