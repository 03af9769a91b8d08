"""An ONNX graph computed in float64, one sample at a time: what its float32 forms would give without rounding."""

from __future__ import annotations

import numpy as np
import onnx
import torch
from onnx import TensorProto, numpy_helper

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.signature import Signature, TensorSpec

from .._operators.read import inputs, plain
from .module import GraphModule

_NARROW = (TensorProto.FLOAT16, TensorProto.BFLOAT16)


class DoubleModel:
    """A float32 graph whose every float is a float64.

    Raises:
        NotImplementedError: an operator that torch cannot express, or 16-bit floats, whose rounding is meant.
    """

    def __init__(self, request: ModelRequest) -> None:
        model = plain(request.path, __file__).model
        self._outputs = [value.name for value in model.graph.output]
        specs = [
            TensorSpec(name, tuple(size if isinstance(size, int) else None for size in shape), dtype)
            for name, dtype, shape in inputs(model)
        ]
        self._signature = Signature(tuple(specs), tuple(TensorSpec(name, (), "float64") for name in self._outputs))
        self._singly = all(spec.shape and spec.shape[0] is None for spec in specs)
        _widen(model.graph)
        self._module = GraphModule(model).eval()

    def signature(self) -> Signature:
        """The graph's inputs; of its outputs only the names are true."""
        return self._signature

    def predict(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of one batch; float64 for every float."""
        if not self._singly:
            return self._run(feeds)
        count = len(next(iter(feeds.values())))
        parts = [self._run({name: array[row : row + 1] for name, array in feeds.items()}) for row in range(count)]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._outputs}

    def _run(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        arrays = (np.array(feeds[spec.name]) for spec in self._signature.inputs)
        tensors = [torch.from_numpy(array.astype(np.float64) if array.dtype.kind == "f" else array) for array in arrays]
        with torch.inference_mode():
            outputs = self._module(*tensors)
        return {name: output.numpy() for name, output in zip(self._outputs, outputs, strict=True)}


def _widen(graph: onnx.GraphProto) -> None:
    """Make every float32 of a graph a float64, in place."""
    for tensor in graph.initializer:
        _widen_tensor(tensor)
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type in _NARROW:
            raise NotImplementedError(f"{value.name}: 16-bit floats")
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.DOUBLE
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _widen(attribute.g)
            if attribute.HasField("t"):
                _widen_tensor(attribute.t)
            if node.op_type == "Constant" and attribute.name in ("value_float", "value_floats"):
                values = attribute.f if attribute.name == "value_float" else list(attribute.floats)
                attribute.CopyFrom(onnx.helper.make_attribute("value", numpy_helper.from_array(np.array(values))))
            if attribute.name in ("to", "dtype") and attribute.i in (TensorProto.FLOAT, *_NARROW):
                if attribute.i in _NARROW:
                    raise NotImplementedError(f"operator {node.op_type} at node {node.name}: 16-bit floats")
                attribute.i = TensorProto.DOUBLE


def _widen_tensor(tensor: onnx.TensorProto) -> None:
    if tensor.data_type in _NARROW:
        raise NotImplementedError(f"{tensor.name}: 16-bit floats")
    if tensor.data_type == TensorProto.FLOAT:
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))
