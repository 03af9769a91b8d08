"""Static QDQ graphs of a float one: ONNX Runtime's own quantizer, behind its own preparation.

A graph is prepared and its ranges measured once; ONNX Runtime keeps these beside it, and quantises from there as often as other nodes
are to stay in float (`nodes_to_exclude`).
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx

from .bias import correct_biases
from .bias import with_own_biases as own_biases

_RANGES = ".ranges.json"
_LAYERS = ("Conv", "Gemm", "MatMul", "Add")


def calibrate(path: str, feeds: Sequence[Sequence[str]], whole: bool, target: str) -> None:
    """Write a float graph, prepared, with the range of every activation on some inputs beside it.

    Args:
        path: a float `.onnx`.
        feeds: chunk by chunk an `.npy` file for each input, in the order of the graph's inputs.
        whole: a chunk is one call, without a sample axis of its own.
        target: the prepared graph.
    """
    from onnxruntime.quantization.shape_inference import quant_pre_process

    quant_pre_process(path, target, skip_symbolic_shape=True)
    model = onnx.load(target)
    taken: set[str] = set()
    for number, node in enumerate(model.graph.node):
        if not node.name or node.name in taken:
            node.name = f"{node.op_type}_{number}"
        taken.add(node.name)
    onnx.save(model, target)
    _static(target, _Reader(target, feeds, whole), (), f"{target}.trial.onnx")


def correct(path: str, feeds: Sequence[Sequence[str]], whole: bool, target: str) -> int:
    """Write a prepared graph with biases corrected for the rounding of the weights, calibrated anew; how many there are. See `bias`.

    Args:
        path: as `calibrate` wrote it.
        feeds, whole: as `calibrate` took them.
        target: the prepared graph.
    """
    rounded = f"{path}.rounded.onnx"
    _static(path, None, (), rounded)
    count = correct_biases(path, rounded, iter(_Reader(path, feeds, whole).get_next, None), target)
    if count:
        _static(target, _Reader(target, feeds, whole), (), f"{target}.trial.onnx")
    return count


def with_own_biases(path: str, original: str, names: Sequence[str], target: str) -> None:
    """Write a prepared graph with the biases of some nodes as another one has them, and the ranges beside it; see `bias`."""
    own_biases(path, original, names, target)
    shutil.copyfile(path + _RANGES, target + _RANGES)


def quantize(path: str, keep: Sequence[str], io: str, target: str) -> dict[str, Any]:
    """Write the QDQ graph of a prepared one.

    Args:
        path: as `calibrate` wrote it.
        keep: names of the nodes that stay in float.
        io: what it takes and gives; float32.
        target: the `.onnx` to write.

    Returns:
        `float`: the nodes that compute in float and could be quantised; `operators`: how many could be.
    """
    _static(path, None, [*keep, *_activations(path, keep)], target)
    graph = onnx.load(target, load_external_data=False).graph
    rounded = {node.output[0] for node in graph.node if node.op_type == "DequantizeLinear"}
    listed = {one["name"] for one in operators(path)}
    there = [node for node in graph.node if node.name in listed]  # a Relu may have gone into its layer's rounding
    return {"float": [node.name for node in there if not rounded & set(node.input)], "operators": len(there)}


def operators(path: str) -> list[dict[str, Any]]:
    """The nodes of a float graph that ONNX Runtime quantises, an activation with its layer.

    Returns:
        For each `name`, `kind`, `work`: multiplications by its shapes, or values that it gives; sizes that are not known count as one; and
        `weights`: constants among them.
    """
    from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

    kinds = QDQRegistry.keys() | QLinearOpsRegistry.keys()
    graph = onnx.load(path, load_external_data=False).graph
    nodes, sizes = graph.node, _sizes(graph)
    own = [node for node in nodes if node.op_type in kinds]
    taken = set(_activations(path, [node.name for node in own if node.op_type in _LAYERS]))
    constants = {tensor.name: math.prod(tensor.dims) for tensor in graph.initializer}
    return [
        {
            "name": node.name, "kind": node.op_type, "work": _work(node, sizes),
            "weights": sum(constants.get(name, 0) for name in node.input),
        }
        for node in own
        if node.name not in taken
    ]  # fmt: skip


def _work(node: Any, sizes: dict[str, list[int]]) -> int:
    """Values of the result, times what of its second operand goes into each where it is multiplied with that."""
    result = sizes.get(node.output[0], [])
    if node.op_type not in ("Conv", "Gemm", "MatMul"):
        return math.prod(result)
    weights, channels = sizes.get(node.input[1], []), result[1:2] if node.op_type == "Conv" else result[-1:]
    return math.prod(result) * max(1, math.prod(weights) // max([1, *channels]))


def _sizes(graph: Any) -> dict[str, list[int]]:
    """By name, the shapes that are known."""
    values = [*graph.value_info, *graph.input, *graph.output]
    known = {one.name: [max(1, dim.dim_value) for dim in one.type.tensor_type.shape.dim] for one in values}
    return known | {tensor.name: list(tensor.dims) for tensor in graph.initializer}


def _activations(path: str, layers: Sequence[str]) -> list[str]:
    """The Relu and Clip nodes behind layers, which go into these layers' rounding.

    On its own in few bits, such a node would have the steps of the range before it, which nothing bounds.
    """
    nodes = onnx.load(path, load_external_data=False).graph.node
    results = {name for node in nodes if node.name in set(layers) and node.op_type in _LAYERS for name in node.output}
    return [node.name for node in nodes if node.op_type in ("Relu", "Clip") and node.input[0] in results]


def _static(path: str, reader: Any, keep: Sequence[str], target: str) -> None:
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    quantize_static(
        path,
        target,
        reader,
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QInt8,
        weight_type=QuantType.QInt8,
        reduce_range=True,
        nodes_to_exclude=list(keep),
        calibration_cache_path=path + _RANGES,
    )


class _Reader:
    """Calls as ONNX Runtime asks for them; a batch that the graph fixes is filled, and what does not fill one is left out."""

    def __init__(self, path: str, feeds: Sequence[Sequence[str]], whole: bool) -> None:
        graph = onnx.load(path, load_external_data=False).graph
        constants = {tensor.name for tensor in graph.initializer}
        values = [value for value in graph.input if value.name not in constants]
        self._names = [value.name for value in values]
        self._batch = max((_fixed(value) for value in values), default=0)
        self._calls = self._generate(feeds, whole)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next call; None at the end."""
        return next(self._calls, None)

    def _generate(self, feeds: Sequence[Sequence[str]], whole: bool) -> Iterator[dict[str, np.ndarray]]:
        for chunk in feeds:
            arrays = [np.load(file, allow_pickle=False) for file in chunk]
            count = max((len(array) for array in arrays if array.ndim), default=1)
            size = count if whole else self._batch or 1
            for start in range(0, count - size + 1, size):
                parts = [array if whole or not array.ndim else array[start : start + size] for array in arrays]
                yield dict(zip(self._names, parts, strict=True))


def _fixed(value: onnx.ValueInfoProto) -> int:
    dims = value.type.tensor_type.shape.dim
    return int(dims[0].dim_value) if dims and dims[0].HasField("dim_value") else 0
