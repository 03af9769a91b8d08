"""The primitives of the operator modules in torch; see `_operators.backend` for what each promises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from .._operators.unsigned import is_unsigned, mapped
from .functions import MAPS

_DTYPES = {
    name: getattr(torch, name)
    for name in (
        "float16", "float32", "float64", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64",
        "bool", "complex64", "complex128",
    )
}  # fmt: skip
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_CONVOLUTIONS = (F.conv1d, F.conv2d, F.conv3d)
_TRANSPOSED = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)
_MAX_POOLS = (F.max_pool1d, F.max_pool2d, F.max_pool3d)
_MEAN_POOLS = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)


class TorchOps:
    """Computes with torch tensors; constants come from where the module keeps its parameters and buffers."""

    def __init__(self, constant: Callable[[np.ndarray], Any]) -> None:
        self._constant = constant

    def dtype(self, x: Any) -> str:
        return x.dtype.name if isinstance(x, np.ndarray) else _NAMES[x.dtype]

    def shape(self, x: Any) -> tuple[Any, ...]:
        return tuple(x.shape)

    def tensor(self, x: Any) -> Any:
        if not isinstance(x, (np.ndarray, np.generic)):
            return x
        x = np.asarray(x)
        if x.dtype.name not in _DTYPES:
            raise NotImplementedError(f"a constant of type {x.dtype.name}: torch does not compute with it")
        return self._constant(x)

    def sizes_tensor(self, sizes: np.ndarray) -> Any:
        flat = [torch.full((), size, dtype=torch.int64) for size in sizes.reshape(-1)]
        return torch.stack(flat).reshape(sizes.shape)

    def map(self, name: str, *xs: Any) -> Any:
        if is_unsigned(self, name, *xs):
            return mapped(self, name, *xs)
        function = MAPS[name]
        if name == "where":
            condition, a, z = (self.tensor(x) for x in xs)
            return torch.where(condition, a, z.to(a.dtype))
        return function(*(self.tensor(x) for x in xs))

    def cast(self, x: Any, dtype: str) -> Any:
        if isinstance(x, np.ndarray):
            return x.astype(dtype)
        if dtype not in _DTYPES:
            raise NotImplementedError(f"torch does not compute with {dtype}")
        return x.to(_DTYPES[dtype])

    def bitcast(self, x: Any, dtype: str) -> Any:
        return self.tensor(x).view(_DTYPES[dtype])

    def reshape(self, x: Any, sizes: Sequence[Any]) -> Any:
        return x.reshape(sizes) if isinstance(x, np.ndarray) and _ints(sizes) else self.tensor(x).reshape(tuple(sizes))

    def transpose(self, x: Any, order: Sequence[int]) -> Any:
        return np.ascontiguousarray(x.transpose(order)) if isinstance(x, np.ndarray) else x.permute(*order)

    def broadcast(self, x: Any, sizes: Sequence[Any]) -> Any:
        if isinstance(x, np.ndarray) and _ints(sizes) and int(np.prod(sizes, dtype=np.int64)) < 1 << 16:
            return np.ascontiguousarray(np.broadcast_to(x, sizes))
        return self.tensor(x).expand(*sizes)

    def tile(self, x: Any, repeats: Sequence[int]) -> Any:
        return torch.tile(self.tensor(x), tuple(repeats))

    def concat(self, xs: Sequence[Any], axis: int) -> Any:
        return torch.cat([self.tensor(x) for x in xs], dim=axis)

    def slice(self, x: Any, parts: Sequence[slice]) -> Any:
        return x[tuple(parts)]

    def flip(self, x: Any, axes: Sequence[int]) -> Any:
        return torch.flip(self.tensor(x), list(axes))

    def pad(self, x: Any, pads: Sequence[tuple[int, int]], value: Any = 0) -> Any:
        x = self.tensor(x)
        flat = [size for pair in reversed(pads) for size in pair]
        if x.dtype == torch.bool:
            return F.pad(x.to(torch.uint8), flat, value=int(bool(value))).to(torch.bool)
        return F.pad(x, flat, value=value)

    def take(self, x: Any, indices: Any, axis: int) -> Any:
        x, indices = self.tensor(x), self.tensor(indices)
        taken = torch.index_select(x, axis, indices.reshape(-1).to(torch.int64))
        return taken.reshape(*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :])

    def take_along(self, x: Any, indices: Any, axis: int) -> Any:
        return torch.gather(self.tensor(x), axis, self.tensor(indices))

    def scatter(self, x: Any, indices: Any, updates: Any, how: str) -> Any:
        x, indices, updates = self.tensor(x), self.tensor(indices), self.tensor(updates)
        if how == "none":
            return torch.index_put(x, (indices,), updates)
        names = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}
        return torch.scatter_reduce(x, 0, indices, updates, names[how], include_self=True)

    def reduce(self, name: str, x: Any, axes: Sequence[int], keep: bool) -> Any:
        x = self.tensor(x)
        axes = tuple(axes)
        if name in ("any", "all"):
            return (torch.any if name == "any" else torch.all)(x, axes, keepdim=keep)
        if name in ("max", "min"):
            if any(isinstance(x.shape[axis], int) and x.shape[axis] == 0 for axis in axes):
                return self._empty(name, x, axes, keep)
            return (torch.amax if name == "max" else torch.amin)(x, axes, keepdim=keep)
        if name == "prod":
            for axis in sorted(axes, reverse=True):
                x = torch.prod(x, axis, keepdim=keep, dtype=x.dtype)
            return x
        if name == "mean":
            return torch.mean(x, axes, keepdim=keep)
        return torch.sum(x, axes, keepdim=keep, dtype=x.dtype)

    def _empty(self, name: str, x: Any, axes: tuple[int, ...], keep: bool) -> Any:
        limits = torch.finfo(x.dtype) if x.is_floating_point() else torch.iinfo(x.dtype)
        infinite = float("inf") if x.is_floating_point() else None
        value = (
            (limits.min if infinite is None else -infinite)
            if name == "max"
            else (limits.max if infinite is None else infinite)
        )
        shape = [1 if a in axes else size for a, size in enumerate(x.shape) if keep or a not in axes]
        return torch.full(shape, value, dtype=x.dtype)

    def arg(self, name: str, x: Any, axis: int) -> Any:
        # torch's argmax does not say which of equal elements it takes
        x = self.tensor(x)
        best = (torch.amax if name == "max" else torch.amin)(x, axis, keepdim=True)
        indices = torch.arange(x.shape[axis], dtype=torch.int64).reshape(
            [-1 if a == axis else 1 for a in range(x.ndim)]
        )
        return torch.amin(torch.where(x == best, indices, x.shape[axis]), axis)

    def top(self, x: Any, k: int, axis: int, largest: bool) -> tuple[Any, Any]:
        values, indices = torch.sort(self.tensor(x), dim=axis, descending=largest, stable=True)
        return values.narrow(axis, 0, k), indices.narrow(axis, 0, k)

    def positions(self, x: Any) -> Any:
        return torch.nonzero(self.tensor(x)).reshape(-1)

    def cumulative(self, name: str, x: Any, axis: int) -> Any:
        x = self.tensor(x)
        return (torch.cumsum if name == "sum" else torch.cumprod)(x, axis, dtype=x.dtype)

    def softmax(self, x: Any, axis: int) -> Any:
        return torch.softmax(x, axis)

    def gelu(self, x: Any, approximate: bool) -> Any:
        return F.gelu(x, approximate="tanh" if approximate else "none")

    def matmul(self, x: Any, y: Any) -> Any:
        return torch.matmul(self.tensor(x), self.tensor(y))

    def linear(self, x: Any, weight: np.ndarray, bias: np.ndarray | None) -> Any:
        return F.linear(
            self.tensor(x), self.tensor(np.ascontiguousarray(weight.T)), None if bias is None else self.tensor(bias)
        )

    def einsum(self, equation: str, xs: Sequence[Any]) -> Any:
        return torch.einsum(equation, *(self.tensor(x) for x in xs))

    def conv(
        self, x: Any, w: Any, b: Any, strides: Sequence[int], pads: Sequence[tuple[int, int]], dilations: Sequence[int],
        groups: int,
    ) -> Any:  # fmt: skip
        if len(strides) > 3:
            raise NotImplementedError("a convolution over more than three dimensions")
        x, w = self.tensor(x), self.tensor(w)
        padding: Any = [before for before, _ in pads]
        if any(before != after for before, after in pads):
            x, padding = self.pad(x, [(0, 0), (0, 0), *pads]), 0
        b = None if b is None else self.tensor(b)
        return _CONVOLUTIONS[len(strides) - 1](x, w, b, strides, padding, dilations, groups)

    def conv_transpose(self, x: Any, w: Any, strides: Sequence[int], dilations: Sequence[int], groups: int) -> Any:
        if len(strides) > 3:
            raise NotImplementedError("a convolution over more than three dimensions")
        function = _TRANSPOSED[len(strides) - 1]
        return function(self.tensor(x), self.tensor(w), None, strides, 0, 0, groups, dilations)

    def window(self, name: str, x: Any, kernel: Sequence[int], strides: Sequence[int]) -> Any:
        if len(strides) > 3:
            raise NotImplementedError("a pool over more than three dimensions")
        return (_MAX_POOLS if name == "max" else _MEAN_POOLS)[len(strides) - 1](
            self.tensor(x), list(kernel), list(strides)
        )

    def batch_norm(self, x: Any, scale: Any, bias: Any, mean: Any, variance: Any, epsilon: float) -> Any:
        scale, bias, mean, variance = (self.tensor(value) for value in (scale, bias, mean, variance))
        return F.batch_norm(self.tensor(x), mean, variance, scale, bias, False, 0.0, epsilon)

    def det(self, x: Any) -> Any:
        return torch.linalg.det(x)


def _ints(sizes: Sequence[Any]) -> bool:
    return all(isinstance(size, (int, np.integer)) for size in sizes)
