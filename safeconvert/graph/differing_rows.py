"""Rows in which the tables of two graphs differ: inputs that read them are worth trying, since of a large table noise reads few."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from safeconvert.core.tensors import array_of
from safeconvert.graph.constants import constant_tensors

Array = np.ndarray[Any, Any]
_INDEXED = ("Gather", "GatherND", "GatherElements")
_ROUNDED = 1e-4  # of a table's largest number: farther apart than storing it in fewer bits leaves a few rows alone
_MOST = 64  # rows that are told


def has_tables(model: onnx.ModelProto) -> bool:
    """Whether rows of a constant are read; numbers are not looked at."""
    return bool(_tables(model))


def differing_rows(source: onnx.ModelProto, target: onnx.ModelProto) -> list[int]:
    """Rows of the target's tables that are others in the source's table of the same shape, ascending, evenly thinned to a few.

    A table of which most rows differ is another one (folded, permuted, stored in fewer bits), and tells nothing. Of several tables of one shape each
    is compared with the one that it is nearest to.
    """
    found = set[int]()
    ours = [table for tensor in _tables(source) if (table := _numbers(tensor)) is not None]
    for tensor in _tables(target):
        theirs = _numbers(tensor)
        alike = [table for table in ours if theirs is not None and table.shape == theirs.shape]
        rows = min((_rows(table, theirs) for table in alike if theirs is not None), key=len, default=np.zeros(0, int))
        if len(rows) <= (len(theirs) if theirs is not None else 0) // 2:
            found |= {int(row) for row in rows}
    ordered = sorted(found)
    return [
        ordered[place] for place in np.unique(np.linspace(0, len(ordered) - 1, min(_MOST, len(ordered))).astype(int))
    ]


def _rows(one: Array, two: Array) -> Array:
    apart = np.abs(one.astype(np.float64) - two).reshape(len(one), -1).max(axis=1, initial=0.0)
    return np.flatnonzero(~(apart <= _ROUNDED * max(float(np.abs(one).max(initial=0.0)), float(np.finfo(float).tiny))))


def _tables(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    """Constants of which rows are read, in bodies of loops and branches too, each once."""
    return list(_read_in(model.graph, {}).values())


def _read_in(graph: onnx.GraphProto, outer: Mapping[str, onnx.TensorProto]) -> dict[int, onnx.TensorProto]:
    """By identity, tables that a graph reads of its own constants and of those around it."""
    constants = {**outer, **constant_tensors(graph)}
    found = dict[int, onnx.TensorProto]()
    for node in graph.node:
        table = constants.get(node.input[0]) if node.op_type in _INDEXED and node.input else None
        if table is not None and len(table.dims) > 1:
            found[id(table)] = table
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                found |= _read_in(attribute.g, constants)
    return found


def _numbers(tensor: onnx.TensorProto) -> Array | None:
    array = array_of(tensor)
    return array if array.dtype.kind in "fiu" and array.size else None
