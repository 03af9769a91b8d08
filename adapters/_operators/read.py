"""Read an ONNX file for the walk: its own functions inlined, its initializers as arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
from onnx import numpy_helper

from safeconvert.graph.obstacles import undefined
from safeconvert.rewrite.legalize import Legalised, legalise, rules_of

from .gelu import whole_gelu


def plain(path: str, adapter: str) -> Legalised:
    """The model of a file, with the functions that it defines itself put in their places, and Gelu whole.

    Where it holds operators that ONNX does not define, the rules of the adapter's manifest write them in those that it does.

    Args:
        path: the file.
        adapter: path of the adapter's module, beside which the manifest lies.
    """
    model = onnx.load(path)
    if model.functions:
        model = onnx.inliner.inline_local_functions(model)
    legal = legalise(model, rules_of(adapter)) if undefined(model) else Legalised(model, (), ())
    return replace(legal, model=whole_gelu(legal.model, constants(legal.model)))


def constants(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """The initializers by name. Raises NotImplementedError for sparse ones."""
    if model.graph.sparse_initializer:
        raise NotImplementedError(
            f"initializer {model.graph.sparse_initializer[0].values.name}: sparse tensors are not supported"
        )
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def inputs(model: onnx.ModelProto) -> list[tuple[str, str, list[int | str]]]:
    """Name, dtype and shape of each graph input that is no initializer; a free size has a name.

    Raises:
        NotImplementedError: an input that is no dense tensor of numbers.
    """
    known = {tensor.name for tensor in model.graph.initializer}
    found = []
    for value in model.graph.input:
        if value.name in known:
            continue
        tensor = value.type.tensor_type
        if not value.type.HasField("tensor_type") or tensor.elem_type in (0, onnx.TensorProto.STRING):
            raise NotImplementedError(f"input {value.name}: only tensors of numbers are supported")
        if not tensor.HasField("shape"):
            raise NotImplementedError(f"input {value.name}: its number of dimensions is not declared")
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).name
        shape: list[int | str] = [
            dim.dim_value if dim.HasField("dim_value") else dim.dim_param or f"{value.name}.{axis}"
            for axis, dim in enumerate(tensor.shape.dim)
        ]
        found.append((value.name, dtype, shape))
    return found
