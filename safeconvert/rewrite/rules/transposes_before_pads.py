"""Move Transposes in front of Pads, so that converters see the Pad in the order of dimensions that they expect."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from safeconvert.graph.constants import Constants
from safeconvert.graph.fold import drop_unused, replace_nodes


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write `Transpose(Pad(x))` as `Pad(Transpose(x))`, the pads in the new order.

    tf2onnx pads a channels-last input before it is transposed; onnx2keras 0.0.25 takes every rank-4 Pad for one of channels
    second, and pads channels and height instead of height and width. Seen in ResNet101V2 (TensorFlow to Keras).
    """
    graph = model.graph
    values = Constants(graph)
    outputs = {value.name for value in graph.output}
    makers = {name: node for node in graph.node for name in node.output}
    read = [name for node in graph.node for name in node.input]
    moved: dict[str, onnx.NodeProto] = {}
    for node in graph.node:
        order = next((list(a.ints) for a in node.attribute if a.name == "perm"), None)
        pad = makers.get(node.input[0]) if node.op_type == "Transpose" and order else None
        if pad is None or pad.op_type != "Pad" or len(pad.input) < 2 or (len(pad.input) > 3 and pad.input[3]):
            continue
        pads = values.get(pad.input[1])
        if pads is None or read.count(pad.output[0]) != 1 or pad.output[0] in outputs:
            continue
        name = f"{pad.output[0]}/pads"
        halves = np.split(pads, 2)
        graph.initializer.append(numpy_helper.from_array(np.concatenate([half[order] for half in halves]), name))
        between, made = f"{pad.output[0]}/transposed", node.output[0]
        node.input[0], node.output[0] = pad.input[0], between
        pad.input[0], pad.input[1], pad.output[0] = between, name, made
        moved[pad.name] = pad
    if not moved:
        return model
    nodes = []
    for node in graph.node:  # each Pad goes behind the Transpose that it followed
        if node.name not in moved:
            nodes.append(node)
        for pad in [moved[name] for name in moved if moved[name].input[0] in node.output]:
            nodes.append(pad)
    replace_nodes(graph, nodes)
    return drop_unused(model)
