"""Channel shuffles as 1×1 convolutions."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write Reshape to (N,g,C/g,H,W), Transpose of the two and Reshape back as a Conv that permutes the channels.

    onnx2keras 0.0.25 reshapes and transposes tensors of five dimensions in the wrong order once channels go last (seen in
    ShuffleNetV2).
    """
    makers = {name: node for node in model.graph.node for name in node.output}

    def conv(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
        turned = makers.get(node.input[0])
        split = makers.get(turned.input[0]) if turned is not None and turned.op_type == "Transpose" else None
        if (
            turned is None
            or split is None
            or split.op_type != "Reshape"
            or explicit_attributes(turned).get("perm") != [0, 2, 1, 3, 4]
        ):
            return None
        data, name = split.input[0], node.output[0]
        before, parts, after = (graph.shapes.get(key, ()) for key in (data, split.output[0], name))
        if len(before) != 4 or len(parts) != 5 or before != after or None in before[1:]:
            return None
        channels, groups = int(before[1] or 0), parts[1]
        if not groups or parts[1:] != (groups, channels // groups, *before[2:]):
            return None
        order = np.arange(channels).reshape(groups, -1).T.reshape(-1)
        kernel = graph.constant(f"{name}_order", np.eye(channels, dtype=np.float32)[order][:, :, None, None])
        window = {"kernel_shape": [1, 1], "strides": [1, 1], "pads": [0, 0, 0, 0], "dilations": [1, 1], "group": 1}
        return [helper.make_node("Conv", [data, kernel], [name], node.name, **window)]

    return rewritten(model, ("Reshape",), conv)
