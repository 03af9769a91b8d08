"""The options of a TFLite file's operators in ONNX's terms, set in the flatbuffer itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from safeconvert.adapter_api.attributes import Layer, set_attributes
from safeconvert.adapter_api.changes import AttributeChange
from safeconvert.errors import UnusableInput
from safeconvert.graph.attributes import same_pads

_OPERATORS = {
    schema.BuiltinOperator.CONV_2D: "Conv",
    schema.BuiltinOperator.DEPTHWISE_CONV_2D: "Conv",
    schema.BuiltinOperator.MAX_POOL_2D: "MaxPool",
    schema.BuiltinOperator.AVERAGE_POOL_2D: "AveragePool",
    schema.BuiltinOperator.LEAKY_RELU: "LeakyRelu",
}
_FIELDS = {
    "strides": ("strideH", "strideW"),
    "dilations": ("dilationHFactor", "dilationWFactor"),
    "kernel_shape": ("filterHeight", "filterWidth"),
}
_MODES = {schema.Padding.VALID: "VALID", schema.Padding.SAME: "SAME_UPPER"}


def set_options(model: Any, changes: Sequence[AttributeChange]) -> None:
    """Set changed attributes in a file's operators. Raises UnusableInput where one is not an operator's option."""
    layers = []
    for graph in model.subgraphs:
        for number, operator in enumerate(graph.operators):
            code = model.operatorCodes[operator.opcodeIndex]
            kind = _OPERATORS.get(max(code.builtinCode, code.deprecatedBuiltinCode))
            if kind is not None:
                layers.append(_described(model, graph, operator, f"{kind} {number}", kind))
    set_attributes(layers, changes)


def _described(model: Any, graph: Any, operator: Any, name: str, kind: str) -> Layer:
    options = operator.builtinOptions
    if kind == "LeakyRelu":
        return Layer(name, kind, {"alpha": options.alpha}, (), _setter(name, options, None))
    constants = [_constant(model, graph.tensors[int(number)]) for number in operator.inputs[1:] if number >= 0]
    weights = tuple(value for value in constants if value is not None and value.ndim >= 2)
    sizes = [int(size) for size in graph.tensors[int(operator.inputs[0])].shape[1:3]]
    window = [int(size) for size in weights[0].shape[1:3]] if weights else [options.filterHeight, options.filterWidth]

    def pads(mode: str) -> list[int]:
        if mode == "VALID":
            return [0, 0, 0, 0]
        dilations = _pair(options, "dilations") or [1, 1]
        return same_pads(mode, sizes, window, _pair(options, "strides") or [1, 1], dilations)

    settings = {attribute: value for attribute in _FIELDS if (value := _pair(options, attribute)) is not None}
    settings["pads"] = pads(_MODES[options.padding])
    return Layer(name, kind, settings, weights, _setter(name, options, pads))


def _setter(name: str, options: Any, pads: Callable[[str], list[int]] | None) -> Callable[[str, Any], None]:
    def put(attribute: str, value: Any) -> None:
        if attribute == "alpha":
            options.alpha = float(value)
        elif attribute == "pads" and pads is not None:
            fitting = [mode for mode, settings in _MODES.items() if pads(settings) == list(value)]
            if not fitting:
                raise UnusableInput(f"operator {name}: no padding of TFLite is pads {value}")
            options.padding = fitting[0]
        else:
            for field, size in zip(_FIELDS[attribute], value, strict=True):
                setattr(options, field, int(size))

    return put


def _pair(options: Any, attribute: str) -> list[int] | None:
    found = [int(size) for field in _FIELDS[attribute] if (size := getattr(options, field, None)) is not None]
    return found if len(found) == len(_FIELDS[attribute]) else None


def _constant(model: Any, tensor: Any) -> np.ndarray[Any, Any] | None:
    data = model.buffers[tensor.buffer].data
    if data is None or tensor.type != schema.TensorType.FLOAT32:
        return None
    return np.frombuffer(bytes(data), np.float32).reshape(tuple(tensor.shape))
