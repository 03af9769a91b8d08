"""Integer division and remainders, which the dynamo exporter of torch 2.13 says through float32 or with a rounding of its own.

An integer division with a rounding mode becomes a division of float32 numbers, wrong beyond 2**24; `floor_divide` and `remainder`
of real numbers become floor(x / y) and x - floor(x / y) * y, a whole step off where x / y rounds to an integer. Here each is what
torch computes: the exact remainder first. The division of sizes (`operator.floordiv`) is exported as ONNX' Div, which rounds towards
zero, so that ceil(n / 2) written as -(-n // 2) came out one too small.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

import torch
from torch import Tensor

_aten = torch.ops.aten
_Operand: TypeAlias = Tensor | float | int


def _together(x: _Operand, y: _Operand) -> tuple[Tensor, Tensor]:
    """Both operands as tensors of the type that torch computes in."""
    dtype = torch.result_type(x, y)
    device = next(one.device for one in (x, y) if isinstance(one, Tensor))
    x, y = (
        one.to(dtype) if isinstance(one, Tensor) else torch.full((), one, dtype=dtype, device=device) for one in (x, y)
    )
    return x, y


def _other_sign(left: Tensor, y: Tensor) -> Tensor:
    """Where a remainder is left whose sign is not the divisor's."""
    return (left != 0) & ((left < 0) != (y < 0))


def _floor_divide(x: _Operand, y: _Operand) -> Any:
    """Of integers left to the exporter, which knows it for two tensors of one type."""
    if all(isinstance(one, Tensor) and not one.dtype.is_floating_point for one in (x, y)) and x.dtype == y.dtype:  # type: ignore[union-attr]
        return NotImplemented
    x, y = _together(x, y)
    if not x.dtype.is_floating_point:
        return torch.floor_divide(x, y)
    left = torch.fmod(x, y)
    steps = torch.round((x - left) / y) - _other_sign(left, y).to(x.dtype)
    return torch.where(y == 0, x / y, steps)


def _divided(x: _Operand, y: _Operand, *, rounding_mode: str | None) -> Any:
    both = _together(x, y)
    if rounding_mode is None:
        return both[0] / both[1]
    if rounding_mode == "floor":
        return torch.floor_divide(*both)
    if both[0].dtype.is_floating_point:
        return torch.trunc(both[0] / both[1])
    return torch.floor_divide(both[0] - torch.fmod(*both), both[1])


def _remainder(x: _Operand, y: _Operand) -> Any:
    """Of integers ONNX' Mod; of real numbers the exact remainder, and y more where its sign is the other."""
    if not any(one.dtype.is_floating_point if isinstance(one, Tensor) else isinstance(one, float) for one in (x, y)):
        return NotImplemented
    x, y = _together(x, y)
    left = torch.fmod(x, y)
    return torch.where(_other_sign(left, y), left + y, left)


def _shifted_left(x: Tensor, y: _Operand) -> Tensor:
    return torch.bitwise_left_shift(x, y)


def _shifted_right(x: Tensor, y: _Operand) -> Tensor:
    return torch.bitwise_right_shift(x, y)


DIVISIONS: Mapping[Any, Callable[..., Any]] = MappingProxyType({
    _aten.floor_divide.default: _floor_divide,
    _aten.floor_divide.Scalar: _floor_divide,
    _aten.div.Tensor_mode: _divided,
    _aten.div.Scalar_mode: _divided,
    _aten.remainder.Tensor: _remainder,
    _aten.remainder.Scalar: _remainder,
    _aten.remainder.Scalar_Tensor: _remainder,
    _aten.__lshift__.Tensor: _shifted_left,
    _aten.__lshift__.Scalar: _shifted_left,
    _aten.__rshift__.Tensor: _shifted_right,
    _aten.__rshift__.Scalar: _shifted_right,
})  # fmt: skip
"""Decompositions by operator."""


def size_translations(program: Any) -> dict[Any, Callable[..., Any]]:
    """Translations for the exporter of what a program does with sizes, beside its operators."""
    if not any(node.target is operator.floordiv for node in program.graph.nodes):
        return {}
    from onnxscript import INT64
    from onnxscript import opset18 as op

    def floordiv(x: INT64, y: INT64) -> INT64:
        return op.Div(op.Sub(x, op.Mod(x, y)), y)

    return {operator.floordiv: floordiv}
