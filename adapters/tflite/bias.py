"""Biases of a float file corrected for what rounding its weights moves: the mean of each channel stays on the calibration inputs.

Rounding the weights of a layer moves the mean of what it gives, the more so the fewer weights a channel has. Beside each layer another
one is put, whose weights are what rounding takes away, (W - Wq) x; its mean over the inputs belongs to the bias.
Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction" (ICCV 2019), section 4.2, on given inputs
rather than on the statistics of batch normalisation.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from safeconvert.adapter_api.protocol import ModelRequest

from .._shared.calibration_calls import calibrated
from .precision import read, write
from .runtime import interpreter
from .stored import real_constants

_LAYERS = (
    schema.BuiltinOperator.CONV_2D,
    schema.BuiltinOperator.DEPTHWISE_CONV_2D,
    schema.BuiltinOperator.FULLY_CONNECTED,
)


def correct(
    request: Mapping[str, Any], quantized: str, feeds: Sequence[Sequence[str]], whole: bool, target: str
) -> int:
    """Write a float file with the biases of its layers corrected.

    Args:
        request: of the float `.tflite`.
        quantized: the file that a quantizer made of it.
        feeds: chunk by chunk an `.npy` file for each input, in the order of the file's inputs.
        whole: a chunk is one call, without a sample axis of its own.
        target: the file to write.

    Returns:
        How many layers have another bias now.
    """
    path, rounded = ModelRequest.from_json(request).path, real_constants(quantized)
    probe, made = read(path), read(path)
    beside = _beside(probe, rounded)
    if not beside:
        write(made, target)
        return 0
    write(probe, target)
    with open(target, "rb") as file:
        means = _means(file.read(), feeds, whole, [result for _, result in beside])
    graph = made.subgraphs[0]
    for (layer, _), mean in zip(beside, means, strict=True):
        tensor = graph.tensors[int(graph.operators[layer].inputs[2])]
        buffer = copy.copy(made.buffers[tensor.buffer])  # another layer may share it
        bias = np.frombuffer(bytes(buffer.data), np.float32) + mean.astype(np.float32)
        buffer.data = np.frombuffer(bias.tobytes(), np.uint8)
        tensor.buffer = len(made.buffers)
        made.buffers.append(buffer)
    write(made, target)
    return len(beside)


def with_own_biases(request: Mapping[str, Any], original: str, names: Sequence[str], target: str) -> None:
    """Write a file with the biases of some operators as another file has them: what is not rounded needs no correction.

    Args:
        request: of the file with corrected biases, calibrated or not.
        original: the same before it was corrected.
        names: of the operators, of their first outputs; those without a constant bias stay as they are.
        target: the file to write.
    """
    made, before = read(ModelRequest.from_json(request).path), read(original)
    own = {name: buffer for name, (_, buffer) in _biases(before).items()}
    for name, (tensor, _) in _biases(made).items():
        if name in set(names) and name in own:
            tensor.buffer = len(made.buffers)
            made.buffers.append(own[name])
    write(made, target)


def _biases(model: Any) -> dict[str, tuple[Any, Any]]:
    """By name of a layer, the tensor of its bias and the buffer that holds it."""
    graph, found = model.subgraphs[0], {}
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        layer = max(code.builtinCode, code.deprecatedBuiltinCode) in _LAYERS
        if layer and len(operator.inputs) > 2 and int(operator.inputs[2]) >= 0:
            tensor = graph.tensors[int(operator.inputs[2])]
            if model.buffers[tensor.buffer].data is not None:
                name = graph.tensors[int(operator.outputs[0])].name.decode()
                found[name] = (tensor, model.buffers[tensor.buffer])
    return found


def _beside(model: Any, rounded: dict[bytes, np.ndarray[Any, Any]]) -> list[tuple[int, int]]:
    """Put a layer beside each whose weights are rounded; the number of its operator, and of the tensor that the new one gives."""
    graph, added, found = model.subgraphs[0], [], []
    for number, operator in enumerate(graph.operators):
        code = model.operatorCodes[operator.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        if kind not in _LAYERS or len(operator.inputs) < 3 or int(operator.inputs[2]) < 0:
            continue
        weights, bias = (graph.tensors[int(index)] for index in operator.inputs[1:3])
        values, stored = model.buffers[weights.buffer].data, rounded.get(weights.name)
        floats = weights.type == bias.type == schema.TensorType.FLOAT32
        if not floats or stored is None or values is None or model.buffers[bias.buffer].data is None:
            continue
        own = np.frombuffer(bytes(values), np.float32)
        if own.size != stored.size:
            continue
        lost = own.reshape(stored.shape) - stored
        twin = copy.copy(operator)
        twin.builtinOptions = copy.copy(operator.builtinOptions)
        twin.builtinOptions.fusedActivationFunction = schema.ActivationFunctionType.NONE
        zeros = np.zeros(model.buffers[bias.buffer].data.size // 4)
        inputs = [int(operator.inputs[0]), _constant(model, weights, lost), _constant(model, bias, zeros)]
        result = copy.copy(graph.tensors[int(operator.outputs[0])])
        result.name = b"moved/" + str(number).encode()
        twin.inputs, twin.outputs = np.array(inputs, np.int32), np.array([len(graph.tensors)], np.int32)
        graph.tensors.append(result)
        added.append(twin)
        found.append((number, int(twin.outputs[0])))
    graph.operators += added
    return found


def _constant(model: Any, like: Any, values: np.ndarray[Any, Any]) -> int:
    tensor, buffer = copy.copy(like), schema.BufferT()
    buffer.data = np.frombuffer(np.ascontiguousarray(values, np.float32).tobytes(), np.uint8)
    tensor.buffer, tensor.name = len(model.buffers), like.name + b"/moved"
    model.buffers.append(buffer)
    model.subgraphs[0].tensors.append(tensor)
    return len(model.subgraphs[0].tensors) - 1


def _means(content: bytes, feeds: Sequence[Sequence[str]], whole: bool, wanted: Sequence[int]) -> list[Any]:
    """The mean of tensors over all calls and all axes but the last."""
    made = interpreter(content, delegate=False, keep=True)
    sums, calls = [np.zeros(1)] * len(wanted), 0
    for _ in calibrated(made, feeds, whole):
        values = [made.get_tensor(index) for index in wanted]
        sums = [
            total + value.reshape(-1, value.shape[-1]).astype(np.float64).mean(0)
            for total, value in zip(sums, values, strict=True)
        ]
        calls += 1
    return [total / max(1, calls) for total in sums]
