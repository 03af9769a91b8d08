"""Transposed convolutions whole, and cut afterwards."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_END = 2**31 - 1


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Cut what the `pads` of a ConvTranspose take away with a Slice, where they are not one number all around.

    onnx2keras 0.0.25 looks at the first of them only: none is cut where that is 0, and others have to be the same on both sides.
    `output_padding`, which it refuses, is that much less to cut.
    """
    return rewritten(model, ("ConvTranspose",), _cut)


def _cut(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    attributes = explicit_attributes(node)
    pads, more = attributes.get("pads", [0] * 4), attributes.get("output_padding", [0, 0])
    if len(pads) != 4 or (len(set(pads)) == 1 and not any(more)) or "output_shape" in attributes:
        return None
    if attributes.get("auto_pad", "NOTSET") != "NOTSET" or any(a > b for a, b in zip(more, pads[2:], strict=True)):
        return None
    back = [size - less for size, less in zip(pads[2:], more, strict=True)]
    name = node.output[0]
    limits = [
        graph.constant(f"{name}_{what}", np.array(value, np.int64))
        for what, value in (("from", pads[:2]), ("to", [-size if size else _END for size in back]), ("along", [2, 3]))
    ]
    kept = {key: value for key, value in attributes.items() if key not in ("pads", "output_padding", "auto_pad")}
    return [
        helper.make_node("ConvTranspose", list(node.input), [f"{name}_whole"], f"{name}_whole", pads=[0] * 4, **kept),
        helper.make_node("Slice", [f"{name}_whole", *limits], [name], node.name),
    ]
