"""Operators that the dynamo exporter of torch 2.13 has no translation for, or a wrong one, in operators that it says right.

`torch.export`'s own means: each is a decomposition, applied to the program before it is exported, only where it occurs. They
give what the operator gives, except which of several equal numbers an index points to, and NaN among what is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from .attention import attended, plain, safe_softmax
from .division import DIVISIONS

_aten = torch.ops.aten
_ATTENTION = _aten.scaled_dot_product_attention.default


def spelled_out(program: Any) -> Any:
    """The program without the operators of this module; itself where it has none."""
    called = [node for node in program.graph.nodes if node.op == "call_function" and node.target in LACKING]
    found = {node.target for node in called if node.target != _ATTENTION or not plain(node)}
    _let_views_copy(program)
    return program.run_decompositions({operator: LACKING[operator] for operator in found}) if found else program


def _let_views_copy(program: Any) -> None:
    """Make every view a reshape, which is one too where memory allows.

    A decomposition gives other strides than the operator did, attention above all, and a view behind it is refused then ("view size is
    not compatible with input tensor's size and stride").
    """
    for node in program.graph.nodes:
        if node.op == "call_function" and node.target == _aten.view.default:
            node.target = _aten.reshape.default


def _ranked(x: Tensor, index: Tensor | int, dim: int, keepdim: bool) -> tuple[Tensor, Tensor]:
    """The number at a place of the sorted dimension, and where it was; a tensor of places has that dimension with size 1."""
    values, indices = torch.sort(x, dim=dim)
    if isinstance(index, int):
        values, indices = (one.narrow(dim, index, 1) for one in (values, indices))
    else:
        values, indices = (one.gather(dim, index) for one in (values, indices))
    return (values, indices) if keepdim else (values.squeeze(dim), indices.squeeze(dim))


def _kthvalue(x: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    return _ranked(x, k - 1, dim, keepdim)


def _median(x: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    return _ranked(x, (x.shape[dim] - 1) // 2, dim, keepdim)  # the lower of two


def _median_of_all(x: Tensor) -> Tensor:
    return _median(x.reshape(-1), 0)[0]


def _nanmedian(x: Tensor, dim: int, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    numbers = torch.logical_not(torch.isnan(x))
    index = torch.clamp((numbers.to(torch.int64).sum(dim, keepdim=True) - 1) // 2, min=0)
    last = torch.where(numbers, x, torch.full_like(x, torch.inf))
    values, indices = _ranked(last, index, dim, keepdim)
    some = numbers.any(dim, keepdim=keepdim)
    return torch.where(some, values, torch.full_like(values, torch.nan)), indices


def _mode(x: Tensor, dim: int = -1, keepdim: bool = False) -> tuple[Tensor, Tensor]:
    values, indices = torch.sort(x.movedim(dim, -1), dim=-1)
    counts = (values.unsqueeze(-1) == values.unsqueeze(-2)).to(torch.int64).sum(-1)
    index = counts.argmax(-1, keepdim=True)  # the first: the smallest of those that are equally often
    found = values.gather(-1, index).movedim(-1, dim), indices.gather(-1, index).movedim(-1, dim)
    return found if keepdim else (found[0].squeeze(dim), found[1].squeeze(dim))


def _seen(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
    """(..., n, n) with the numbers along the last, and which of them each position has behind it."""
    moved = x.movedim(dim, -1)
    indices = torch.arange(moved.shape[-1], device=x.device)
    return moved.unsqueeze(-2), indices <= indices.unsqueeze(-1)


def _cumulative_extreme(greatest: bool) -> Callable[[Tensor, int], tuple[Tensor, Tensor]]:
    def decomposed(x: Tensor, dim: int) -> tuple[Tensor, Tensor]:
        numbers, seen = _seen(x, dim)
        if x.dtype.is_floating_point:
            worst = -torch.inf if greatest else torch.inf
        else:
            worst = torch.iinfo(x.dtype).min if greatest else torch.iinfo(x.dtype).max
        masked = torch.where(seen, numbers, torch.full_like(numbers, worst))
        values = masked.amax(-1) if greatest else masked.amin(-1)
        indices = torch.arange(x.shape[dim], device=x.device)
        at = torch.where(seen & (numbers == values.unsqueeze(-1)), indices, torch.full_like(indices, -1)).amax(-1)
        return values.movedim(-1, dim), at.movedim(-1, dim)

    return decomposed


def _cumprod(x: Tensor, dim: int, *, dtype: torch.dtype | None = None) -> Tensor:
    result = dtype or (x.dtype if x.dtype.is_floating_point else torch.int64)
    numbers, seen = _seen(x.to(result), dim)
    return torch.where(seen, numbers, torch.ones_like(numbers)).prod(-1).movedim(-1, dim)


def _hypot(x: Tensor, y: Tensor) -> Tensor:
    larger, smaller = torch.maximum(x.abs(), y.abs()), torch.minimum(x.abs(), y.abs())
    ratio = smaller / torch.where(larger > 0, larger, torch.ones_like(larger))
    return larger * torch.sqrt(1 + ratio * ratio)


def _signbit(x: Tensor) -> Tensor:
    if not x.dtype.is_floating_point:
        return x < 0
    return (x < 0) | ((x == 0) & (torch.reciprocal(x) < 0))


def _copysign(x: Tensor, y: Tensor) -> Tensor:
    return torch.where(_signbit(y), -x.abs(), x.abs())


_ERFINV_NEAR = (2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503, -0.00417768164,
                0.246640727, 1.50140941)  # fmt: skip
_ERFINV_FAR = (-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
               1.00167406, 2.83297682)  # fmt: skip


def _erfinv(x: Tensor) -> Tensor:
    """Giles, Approximating the erfinv function, GPU Computing Gems (2011), single precision; one step of Newton behind it."""
    w = -torch.log((1 - x) * (1 + x))
    near, far = torch.full_like(x, _ERFINV_NEAR[0]), torch.full_like(x, _ERFINV_FAR[0])
    for one, other in zip(_ERFINV_NEAR[1:], _ERFINV_FAR[1:], strict=True):
        near = near * (w - 2.5) + one
        far = far * (torch.sqrt(w.clamp(min=0)) - 3) + other
    guess = torch.where(w < 5, near, far) * x
    better = guess - (torch.erf(guess) - x) * torch.exp(guess * guess) * (torch.pi**0.5 / 2)
    inside = torch.where(x.abs() < 0.9, better, guess)  # further out erf is flat, and Newton adds its rounding
    return torch.where(x.abs() == 1, x * torch.inf, inside)


def _adaptive_max_pool(x: Tensor, sizes: list[int]) -> tuple[Tensor, Tensor]:
    """The largest of each window, and its place among all pixels; axis by axis, from the last."""
    shape = x.shape[-len(sizes) :]
    values, indices = x, torch.arange(shape.numel(), device=x.device).reshape(shape).expand(x.shape)
    for axis, size in zip(range(-1, -len(sizes) - 1, -1), reversed(sizes), strict=True):
        candidates, at = _windows(values, axis, size), _windows(indices, axis, size)
        best = candidates.argmax(-1, keepdim=True)
        values, indices = (one.gather(-1, best).squeeze(-1).movedim(-1, axis) for one in (candidates, at))
    return values, indices


def _windows(x: Tensor, axis: int, size: int) -> Tensor:
    """The axis as (..., size, window), the windows of adaptive pooling; one that is shorter repeats its last number."""
    count = x.shape[axis]
    longest = max(-(-(index + 1) * count // size) - index * count // size for index in range(size))
    indices = torch.arange(size, device=x.device)
    starts, stops = indices * count // size, ((indices + 1) * count + size - 1) // size
    read = torch.minimum(starts[:, None] + torch.arange(longest, device=x.device), stops[:, None] - 1)
    return x.movedim(axis, -1).index_select(-1, read.reshape(-1)).unflatten(-1, (size, longest))


def _distance(apart: Tensor, p: float) -> Tensor:
    """The p-norm along the last dimension."""
    apart = apart.abs()
    if p == 0:
        return (apart != 0).to(apart.dtype).sum(-1)
    if p == 1:
        return apart.sum(-1)
    if p == 2:
        return torch.sqrt((apart * apart).sum(-1))
    return apart.amax(-1) if p == float("inf") else (apart**p).sum(-1) ** (1 / p)


def _cdist(x: Tensor, y: Tensor, p: float = 2.0, compute_mode: int | None = None) -> Tensor:
    return _distance(x.unsqueeze(-2) - y.unsqueeze(-3), p)


def _pdist(x: Tensor, p: float = 2.0) -> Tensor:
    one, other = torch.triu_indices(x.shape[0], x.shape[0], 1, device=x.device).unbind()
    return _distance(x.index_select(0, one) - x.index_select(0, other), p)


def _rrelu(
    x: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, generator: object = None
) -> Tensor:
    if training:
        raise NotImplementedError("rrelu in training mode gives random numbers; call .eval() first")
    return torch.where(x >= 0, x, x * ((lower + upper) / 2))


def _searchsorted(edges: Tensor, x: Tensor, *, out_int32: bool = False, right: bool = False, side: str | None = None,
                  sorter: Tensor | None = None) -> Tensor:  # fmt: skip
    edges = edges if sorter is None else edges.gather(-1, sorter)
    edges, x = edges.unsqueeze(-2) if edges.dim() > 1 else edges, x.unsqueeze(-1)
    before = edges <= x if right or side == "right" else edges < x
    return before.to(torch.int64).sum(-1).to(torch.int32 if out_int32 else torch.int64)


def _logaddexp(x: Tensor, y: Tensor) -> Tensor:
    """The exporter's log(exp(x) + exp(y)) overflows."""
    larger = torch.maximum(x, y)
    apart = torch.where(x == y, torch.zeros_like(larger), (x - y).abs())  # equal infinities have no difference
    return larger + torch.log1p(torch.exp(-apart))


LACKING: Mapping[Any, Callable[..., Any]] = MappingProxyType({
    **DIVISIONS,
    _ATTENTION: attended,
    _aten._safe_softmax.default: safe_softmax,
    _aten.logaddexp.default: _logaddexp,
    _aten.kthvalue.default: _kthvalue,
    _aten.median.dim: _median,
    _aten.median.default: _median_of_all,
    _aten.nanmedian.dim: _nanmedian,
    _aten.mode.default: _mode,
    _aten.cummax.default: _cumulative_extreme(greatest=True),
    _aten.cummin.default: _cumulative_extreme(greatest=False),
    _aten.cumprod.default: _cumprod,
    _aten.hypot.default: _hypot,
    _aten.copysign.Tensor: _copysign,
    _aten.erfinv.default: _erfinv,
    _aten.special_erfinv.default: _erfinv,
    _aten.adaptive_max_pool1d.default: _adaptive_max_pool,
    _aten.adaptive_max_pool2d.default: _adaptive_max_pool,
    _aten.adaptive_max_pool3d.default: _adaptive_max_pool,
    _aten.cdist.default: _cdist,
    _aten.pdist.default: _pdist,
    _aten.rrelu.default: _rrelu,
    _aten.searchsorted.Tensor: _searchsorted,
})  # fmt: skip
"""Decompositions by operator."""
