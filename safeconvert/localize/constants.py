"""The constants of two nodes of the same operator, compared value by value in the target's order of axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from safeconvert.compare.relation import Relation
from safeconvert.graph.operators import LAYOUT, WEIGHTED
from safeconvert.graph.view import GraphView

Array = np.ndarray[Any, Any]
NodeConstants = tuple[onnx.NodeProto, Sequence[Array | None]]
"""A node, and for each of its inputs the constant that it reads, None where it reads a tensor."""

_ELEMENTWISE = {"Mul", "Add", "Sub", "Div", "PRelu", "Where", "Pow", "Min", "Max"}
_PRODUCTS = {"MatMul", "Gemm", "Conv", "ConvTranspose"}
_SHOWN = 8  # values that are written out


@dataclass(frozen=True)
class ConstantDifference:
    """A constant that the target's node does not have as it should.

    Attributes:
        index: of the input.
        wanted: the source's; None where it has no such input.
        there: the target's; None where it has no such input.
        needed: what the target has to have: the source's in the target's order of axes; None for no such input.
        rows_only: the target holds the source's, but its rows are in the order in which the source flattens.
    """

    index: int
    wanted: Array | None
    there: Array | None
    needed: Array | None
    rows_only: bool = False

    @property
    def value(self) -> Array:
        """The source's constant, or the target's where the source has none."""
        value = self.wanted if self.wanted is not None else self.there
        if value is None:
            raise ValueError("a constant that neither side has")
        return value

    def evidence(self) -> str:
        """The difference in words and numbers."""
        if self.rows_only:
            return (
                f"input {self.index}: its rows are in the order in which the source flattens, not in the target's own"
            )
        if self.needed is None:
            return f"input {self.index}: {_short(self.there)} in the target, none in the source"
        apart = self._apart()
        if apart is None:
            return f"input {self.index}: {_short(self.wanted)} in the source, {_short(self.there)} in the target"
        return (
            f"input {self.index}: {int((apart > 0).sum())} of {apart.size} values differ, by at most {apart.max():.3g}"
        )

    def share(self) -> float | None:
        """Share of the values that differ; None where the two are no floats of one shape."""
        apart = self._apart()
        return float((apart > 0).mean()) if apart is not None else None

    def _apart(self) -> Array | None:
        """Distances in float64; None where the two are no floats of one shape."""
        needed, there = self.needed, self.there
        if needed is None or there is None or needed.shape != there.shape or there.dtype.kind != "f":
            return None
        found: Array = np.abs(needed.astype(np.float64) - there.astype(np.float64))
        return found


def is_weight(node: onnx.NodeProto, value: Array) -> bool:
    """Whether a constant of a node is weights or a bias; else it steers the operator (Clip's limits, Pad's sizes)."""
    return node.op_type in WEIGHTED and value.dtype.kind in "fiu"


def is_bias(source: GraphView, number: int) -> bool:
    """Whether a region's node adds a vector to a matrix product or convolution, or to a tensor that goes into the region."""
    node = source.nodes[number]
    vectors = [source.constants[name] for name in node.input if name in source.constants]
    data = [name for name in node.input if name not in source.constants]
    if node.op_type != "Add" or len(vectors) != 1 or len(data) != 1:
        return False
    maker = product_behind(source, number)
    return sum(size > 1 for size in vectors[0].shape) == 1 and (maker is not None or data[0] not in source.maker)


def product_behind(source: GraphView, number: int) -> int | None:
    """The number of the matrix product or convolution whose output a node reads; None where there is none."""
    makers = [source.maker[name] for name in source.nodes[number].input if name in source.maker]
    return next((maker for maker in makers if source.nodes[maker].op_type in _PRODUCTS), None)


def differing_constants(
    source: NodeConstants, target: NodeConstants, relation: Relation, rows: Callable[[], Array | None]
) -> Iterator[ConstantDifference]:
    """The constants that the target's node does not have as it should, by input.

    Args:
        source, target: the two nodes.
        relation: the order of axes in which the target's node works.
        rows: for each row of the target's weights, the row of the source's that belongs there; None where they are in
            order. Called for the weights of matrix products only.
    """
    (ours, from_source), (theirs, from_target) = source, target
    for index in range(max(len(ours.input), len(theirs.input))):
        wanted = from_source[index] if index < len(from_source) else None
        there = from_target[index] if index < len(from_target) else None
        if wanted is None:
            absent = index >= len(ours.input) or not ours.input[index]
            if there is not None and absent:
                yield ConstantDifference(index, None, there, None)
            continue
        flattened = _in_target_order(wanted, there, relation, theirs.op_type)
        order = rows() if index == 1 and ours.op_type in ("Gemm", "MatMul") and flattened.ndim == 2 else None
        needed = flattened if order is None else np.take(flattened, order, axis=int(_transposed(ours)))
        if there is not None and needed.shape == there.shape and _equal(needed, there):
            continue
        if index < len(theirs.input) and theirs.input[index] and there is None:
            continue  # fed by a node: a matter of inputs
        rows_only = order is not None and there is not None and _same_floats(flattened, there)
        yield ConstantDifference(index, wanted, there, needed, rows_only)


def _same_floats(one: Array, two: Array) -> bool:
    return two.dtype.kind == "f" and np.array_equal(one, two)


def _equal(one: Array, two: Array) -> bool:
    return np.array_equal(one, two, equal_nan=one.dtype.kind == "f")


def _in_target_order(wanted: Array, there: Array | None, relation: Relation, operator: str) -> Array:
    """A source constant as the target has to have it: the axes of one that is broadcast follow the data's."""
    if there is not None and wanted.shape == there.shape and (operator in LAYOUT or wanted.ndim < 3):
        return wanted
    rank = len(relation.order)
    if operator in _ELEMENTWISE and 0 < wanted.ndim <= rank and wanted.size > 1:
        full = wanted.reshape([1] * (rank - wanted.ndim) + list(wanted.shape)).transpose(relation.order)
        return full.reshape(there.shape) if there is not None and there.size == full.size else full
    if there is not None and there.size == wanted.size and there.ndim != wanted.ndim:
        return wanted.reshape(there.shape)
    return wanted


def _transposed(node: onnx.NodeProto) -> bool:
    """Whether a Gemm holds its weights with a row for each output."""
    return any(attribute.name == "transB" and attribute.i for attribute in node.attribute)


def _short(value: Array | None) -> str:
    if value is None:
        return "none"
    return str(value.tolist()) if value.size <= _SHOWN else f"{value.dtype}{list(value.shape)}"
