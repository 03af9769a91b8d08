"""Whole numbers that only one of two graphs holds: bounds of a table or of places, perhaps, which no call shows that is smaller than they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import onnx

from safeconvert.core.tensors import array_of
from safeconvert.graph.constants import constant_tensors

_LEAST, _LARGEST = 32, 4096
"""Below, every verification has calls that are larger; above, none is made."""
_SMALL = 64  # numbers of a constant that are looked at


def own_sizes(source: onnx.ModelProto, target: onnx.ModelProto) -> list[int]:
    """Those numbers of constants, of their shapes and of attributes, in bodies too, ascending."""
    return sorted(set(_numbers(source.graph)) ^ set(_numbers(target.graph)))


def _numbers(graph: onnx.GraphProto) -> Iterator[int]:
    for tensor in constant_tensors(graph).values():
        yield from _kept(tensor.dims)
        if int(np.prod(tensor.dims, dtype=np.int64)) <= _SMALL and not tensor.external_data:
            array = array_of(tensor)
            if array.dtype.kind in "iu":
                yield from _kept(array.ravel().tolist())
            elif array.dtype.kind == "f":
                yield from _kept(int(value) for value in array.ravel() if np.isfinite(value) and value == int(value))
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _numbers(attribute.g)
            elif attribute.type in (onnx.AttributeProto.INT, onnx.AttributeProto.INTS):
                yield from _kept([attribute.i, *attribute.ints])


def _kept(numbers: Iterable[int]) -> Iterator[int]:
    yield from (abs(number) for number in numbers if _LEAST <= abs(number) <= _LARGEST)
