"""A graph's constants, read when they are used."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.core.tensors import array_of

_PLAIN = {"value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}
"""Attributes of a Constant that hold numbers as they are, as functions of exporters have them."""


def constant_tensors(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    """Initializers and what nodes `Constant` hold, by name; none is decoded."""
    return {tensor.name: tensor for tensor in graph.initializer} | {
        node.output[0]: tensor for node in graph.node for tensor in _held(node)
    }


def _held(node: onnx.NodeProto) -> Iterator[onnx.TensorProto]:
    for attribute in node.attribute if node.op_type == "Constant" else ():
        if attribute.name == "value":
            yield attribute.t
        elif attribute.name in _PLAIN:
            yield numpy_helper.from_array(np.asarray(helper.get_attribute_value(attribute), _PLAIN[attribute.name]))


def small_constants(graph: onnx.GraphProto, most: int) -> dict[str, np.ndarray[Any, Any]]:
    """The values of those of at most so many elements that lie in the file itself, by name."""
    return {
        name: array_of(tensor)
        for name, tensor in constant_tensors(graph).items()
        if math.prod(tensor.dims) <= most and tensor.data_location != onnx.TensorProto.EXTERNAL
    }


class Constants(Mapping[str, np.ndarray[Any, Any]]):
    """The initializers of a graph by name, as they were when this was made; each is decoded once, when it is used."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        """Note the tensors, decode none."""
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}
        self._values: dict[str, np.ndarray[Any, Any]] = {}

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        """The value of a constant."""
        if name not in self._values:
            self._values[name] = array_of(self._tensors[name])
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        """Whether it is a constant; decodes nothing."""
        return name in self._tensors

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._tensors)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._tensors)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Their shapes; decodes nothing."""
        return {name: tuple(tensor.dims) for name, tensor in self._tensors.items()}
