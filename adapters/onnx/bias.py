"""Biases of a float graph corrected for what rounding its weights moves: the mean of each channel stays on the calibration inputs.

Beside each layer another one is put, whose weights are what rounding takes away, (W - Wq) x; its mean over the inputs belongs to the bias.
Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction" (ICCV 2019), section 4.2, on given inputs
rather than on the statistics of batch normalisation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

_LAYERS = ("Conv", "Gemm")
_ROUNDED, _SCALE = "_quantized", "_scale"  # ONNX Runtime's names beside a weight's


def correct_biases(path: str, quantized: str, calls: Iterable[dict[str, np.ndarray[Any, Any]]], target: str) -> int:
    """Write a float graph with the biases of its layers corrected.

    Args:
        path: the float graph.
        quantized: the QDQ graph that ONNX Runtime made of it.
        calls: the calibration inputs, call by call.
        target: the graph to write.

    Returns:
        How many layers have another bias now.
    """
    model = onnx.load(path)
    known = {tensor.name: tensor for tensor in model.graph.initializer}
    stored = {tensor.name: tensor for tensor in onnx.load(quantized).graph.initializer}
    layers = [node for node in model.graph.node if _biased(node, known, stored)]
    means = _means(model, layers, known, stored, calls) if layers else []
    readers = [name for node in model.graph.node for name in node.input]
    for node, mean in zip(layers, means, strict=True):
        old = known[node.input[2]]
        corrected = numpy_helper.from_array((numpy_helper.to_array(old) + mean).astype(np.float32), old.name)
        if readers.count(old.name) > 1:  # another layer has it too
            corrected.name = node.input[2] = f"{old.name}/{node.name}"
            model.graph.initializer.append(corrected)
        else:
            old.CopyFrom(corrected)
    onnx.save(model, target)
    return len(layers)


def with_own_biases(path: str, original: str, names: Sequence[str], target: str) -> None:
    """Write a graph with the biases of some nodes as another graph has them: what is not rounded needs no correction.

    Args:
        path: the graph, as `correct_biases` wrote it.
        original: the same before it was corrected.
        names: of the nodes; those without a bias of their own stay as they are.
        target: the graph to write.
    """
    model, before = onnx.load(path), onnx.load(original)
    own = {node.name: node.input[2] for node in before.graph.node if node.op_type in _LAYERS and len(node.input) > 2}
    values = {tensor.name: tensor for tensor in before.graph.initializer}
    for node in model.graph.node:
        if node.name in set(names) and own.get(node.name) in values:
            tensor = model.graph.initializer.add()
            tensor.CopyFrom(values[own[node.name]])
            tensor.name = node.input[2] = f"{own[node.name]}/{node.name}/own"
    onnx.save(model, target)


def _biased(node: Any, known: dict[str, Any], stored: dict[str, Any]) -> bool:
    if node.op_type not in _LAYERS or len(node.input) < 3:
        return False
    ours = node.input[1] in known and node.input[2] in known and len(known[node.input[2]].dims) == 1
    plain = all(a.name not in ("alpha", "beta") or a.f == 1.0 for a in node.attribute)
    return ours and plain and {node.input[1] + _ROUNDED, node.input[1] + _SCALE} <= stored.keys()


def _means(
    model: Any, layers: list[Any], known: dict[str, Any], stored: dict[str, Any], calls: Iterable[dict[str, Any]]
) -> list[Any]:
    """For each layer the mean, over the inputs, of what the rounding of its weights takes from each channel."""
    import onnxruntime

    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    names = []
    for number, node in enumerate(layers):
        weights, axis = numpy_helper.to_array(known[node.input[1]]), _axis(node)
        scale = numpy_helper.to_array(stored[node.input[1] + _SCALE]).astype(np.float64).reshape(-1)
        form = [-1 if dim == axis and scale.size > 1 else 1 for dim in range(weights.ndim)]
        rounded = numpy_helper.to_array(stored[node.input[1] + _ROUNDED]).astype(np.float64) * scale.reshape(form)
        lost, moved = f"moved/{number}/lost", f"moved/{number}"
        probe.graph.initializer.append(numpy_helper.from_array((weights - rounded).astype(np.float32), lost))
        twin = onnx.NodeProto()
        twin.CopyFrom(node)
        del twin.input[:], twin.output[:]
        twin.input.extend([node.input[0], lost])
        twin.output.append(moved)
        twin.name = moved
        probe.graph.node.append(twin)
        probe.graph.output.append(helper.make_tensor_value_info(moved, onnx.TensorProto.FLOAT, None))
        names.append(moved)
    session = onnxruntime.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    sums, count = [np.zeros(1)] * len(names), 0
    for call in calls:
        values = session.run(names, call)
        means = [value.astype(np.float64).mean((0, *range(2, value.ndim))) for value in values]
        sums = [total + mean for total, mean in zip(sums, means, strict=True)]
        count += 1
    return [total / max(1, count) for total in sums]


def _axis(node: Any) -> int:
    """The axis of the weights that is the result's channels."""
    transposed = any(a.name == "transB" and a.i for a in node.attribute)
    return 0 if node.op_type == "Conv" or transposed else 1
