"""Convolution kernels without uneven dilations, and without several outputs for each input channel."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_LARGEST = 1 << 20
"""Numbers in a kernel that is made denser."""


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Fill kernels with zeros where the dilations differ by axis, and where a depthwise Conv has several outputs a channel.

    onnx2keras 0.0.25 takes the first dilation for both axes, and dies on depthwise kernels with a multiplier.
    """
    return rewritten(model, ("Conv",), _dense)


def _dense(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    weights, attributes = graph.values.get(node.input[1]), explicit_attributes(node)
    channels = graph.shapes.get(node.input[0], (None, None))[1]
    if weights is None or weights.ndim != 4 or channels is None:
        return None
    dilations, group = attributes.get("dilations", [1, 1]), attributes.get("group", 1)
    uneven = len(set(dilations)) > 1
    multiplied = group == channels and group > 1 and weights.shape[0] != group
    if not (uneven or multiplied):
        return None
    kernel = weights
    if uneven:
        sizes = [(size - 1) * step + 1 for size, step in zip(kernel.shape[2:], dilations, strict=True)]
        spread = np.zeros((*kernel.shape[:2], *sizes), kernel.dtype)
        spread[:, :, :: dilations[0], :: dilations[1]] = kernel
        kernel, attributes["dilations"], attributes["kernel_shape"] = spread, [1, 1], sizes
    if multiplied:
        each = kernel.shape[0] // group
        if kernel.size * group > _LARGEST:
            return None
        full = np.zeros((kernel.shape[0], group, *kernel.shape[2:]), kernel.dtype)
        full[np.arange(kernel.shape[0]), np.arange(kernel.shape[0]) // each] = kernel[:, 0]
        kernel, attributes["group"] = full, 1
    name = graph.constant(f"{node.output[0]}_kernel", kernel)
    inputs = [node.input[0], name, *node.input[2:]]
    return [helper.make_node("Conv", inputs, list(node.output), node.name, **attributes)]
