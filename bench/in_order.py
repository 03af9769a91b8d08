"""Contracts of two ONNX graphs whose inputs and outputs correspond in their order."""

from __future__ import annotations

from collections.abc import Iterable

import onnx

from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import TensorContract
from safeconvert.core.signature import TensorSpec


def in_order(
    source: onnx.ModelProto, target: onnx.ModelProto, moved: tuple[int, ...] | None = None, free: int = 0
) -> Contract:
    """Inputs and outputs in order.

    Args:
        source, target: the graphs.
        moved: the order of the target's input axes; None for the source's.
        free: the size at which free dimensions are told; 0 tells no sizes.
    """

    def told(tensor: onnx.ValueInfoProto) -> TensorSpec:
        sizes = tuple(dim.dim_value or free for dim in tensor.type.tensor_type.shape.dim) if free else ()
        return TensorSpec(tensor.name, sizes, "")

    def tensors(
        ours: Iterable[onnx.ValueInfoProto], theirs: Iterable[onnx.ValueInfoProto], order: tuple[int, ...] | None
    ) -> tuple[TensorContract, ...]:
        pairs = zip(ours, theirs, strict=True)
        return tuple(TensorContract(told(a), told(b), order, "in order") for a, b in pairs)

    graphs = source.graph, target.graph
    return Contract(tensors(*(one.input for one in graphs), moved), tensors(*(one.output for one in graphs), None), ())
