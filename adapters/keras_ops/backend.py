"""The primitives that compute, in Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from .._operators.unsigned import is_unsigned, mapped
from .functions import MAPS, OF_BITS, TRUTHS
from .layers import Layers

_REDUCTIONS = {
    "sum": ops.sum, "mean": ops.mean, "max": ops.max, "min": ops.min, "prod": ops.prod, "any": ops.any, "all": ops.all,
}  # fmt: skip


class KerasOps(Layers):
    """See `_operators.backend` for what each method promises."""

    def map(self, name: str, *xs: Any) -> Any:
        if is_unsigned(self, name, *xs):
            return mapped(self, name, *xs)
        function = MAPS[name]
        kind = "bool" if name in TRUTHS else self.dtype(xs[1] if name == "where" else xs[0])
        xs = tuple(np.asarray(x) if isinstance(x, np.generic) else x for x in xs)
        if all(isinstance(x, np.ndarray) for x in xs):
            xs = (self.tensor(xs[0]), *xs[1:])
        rank = max(len(self.shape(x)) for x in xs)
        leader = max(xs, key=lambda x: -1 if isinstance(x, np.ndarray) else self.volume(x) + (id(x) in self._origins))
        _, order = self.origin(leader)
        if len(order) < rank:
            order = list(range(rank))
        inverse = [int(index) for index in np.argsort(order)]
        roots = [self._aligned(x, rank, inverse) for x in xs]
        operand = self.tensor if name in OF_BITS else self.operand
        result = function(*(operand(root) for root in roots))
        result = result if self.dtype(result) == kind else ops.cast(result, kind)
        sizes = self._together([self.shape(root) for root in roots], rank)
        return self.transpose(self.made(result, *roots, sizes=sizes), order)

    def _aligned(self, x: Any, rank: int, inverse: list[int]) -> Any:
        """An operand in the leader's order; scalars and operands of fewer dimensions broadcast from the right."""
        shape = self.shape(x)
        if inverse == sorted(inverse) or not shape:
            return x
        return self.transpose(self.reshape(x, [1] * (rank - len(shape)) + list(shape)), inverse)

    def _together(self, shapes: list[tuple[Any, ...]], rank: int) -> list[Any] | None:
        sizes: list[Any] = []
        for axis in range(rank):
            own = {shape[axis - rank] for shape in shapes if rank - axis <= len(shape)} - {1}
            fixed = [size for size in own if isinstance(size, int)]
            if len(own) > 1 and not fixed:
                return None
            sizes.append(fixed[0] if fixed else own.pop() if own else 1)
        return sizes

    def reduce(self, name: str, x: Any, axes: Sequence[int], keep: bool) -> Any:
        x, kind = self.tensor(x), self.dtype(x)
        if kind == "uint64" and name in ("sum", "prod"):
            return self.bitcast(self.reduce(name, self.bitcast(x, "int64"), axes, keep), kind)
        if name in ("max", "min") and any(self.shape(x)[axis] == 0 for axis in axes):
            return self._of_nothing(name, x, axes, keep)
        root, order = self.origin(x)
        rest = [axis for axis in range(len(order)) if axis not in axes]
        if not keep and [order[axis] for axis in rest] != sorted(order[axis] for axis in rest):
            root, order = x, list(range(len(order)))
        own = tuple(sorted(order[axis] for axis in axes))
        result = _REDUCTIONS[name](root, axis=own, keepdims=keep)
        result = result if self.dtype(result) == kind else ops.cast(result, kind)
        sizes = [1 if axis in own else size for axis, size in enumerate(self.shape(root)) if keep or axis not in own]
        made = self.made(result, sizes=sizes)
        return self.transpose(made, order) if keep else made

    def _of_nothing(self, name: str, x: Any, axes: Sequence[int], keep: bool) -> Any:
        kind = self.dtype(x)
        limits = (-np.inf, np.inf) if "float" in kind else (np.iinfo(kind).min, np.iinfo(kind).max)
        value = np.asarray(limits[0] if name == "max" else limits[1], dtype=kind)
        return self.broadcast(
            value.reshape([1] * (len(self.shape(x)) - (0 if keep else len(axes)))),
            [1 if axis in axes else size for axis, size in enumerate(self.shape(x)) if keep or axis not in axes],
        )

    def arg(self, name: str, x: Any, axis: int) -> Any:
        # of a mask: ops.argmax calls -0 smaller than 0, which ONNX does not, in bitwise operators that TFLite lacks
        best = self.map("eq", x, self.reduce(name, self.tensor(x), [axis], True))
        found = ops.argmax(ops.cast(best, "int32"), axis=axis)
        sizes = [size for a, size in enumerate(self.shape(x)) if a != axis]
        return self.made(ops.cast(found, "int64"), sizes=sizes)

    def top(self, x: Any, k: int, axis: int, largest: bool) -> tuple[Any, Any]:
        x = self.tensor(x)
        rank = len(self.shape(x))
        last = [a for a in range(rank) if a != axis] + [axis]
        back = [last.index(a) for a in range(rank)]
        moved = self.transpose(x, last)
        keyed = moved if largest else self._turned(moved)
        values, indices = ops.top_k(keyed, k, sorted=True)
        sizes = [*self.shape(moved)[:-1], k]
        values, indices = self.made(values, sizes=sizes), self.made(ops.cast(indices, "int64"), sizes=sizes)
        values = values if largest else self._turned(values)
        return self.transpose(values, back), self.transpose(indices, back)

    def _turned(self, x: Any) -> Any:
        """The order turned round, so that nothing overflows; twice it is x."""
        kind = self.dtype(x)
        if "float" in kind:
            return self.map("neg", x)
        ends = np.iinfo(kind)
        return self.map("sub", np.asarray(ends.max if ends.min == 0 else -1, dtype=kind), x)

    def positions(self, x: Any) -> Any:
        (found,) = ops.nonzero(self.tensor(x))
        return self.made(ops.cast(found, "int64"))

    def cumulative(self, name: str, x: Any, axis: int) -> Any:
        x, kind = self.tensor(x), self.dtype(x)
        result = (ops.cumsum if name == "sum" else ops.cumprod)(x, axis=axis)
        return self.made(result if self.dtype(result) == kind else ops.cast(result, kind), sizes=self.shape(x))

    def softmax(self, x: Any, axis: int) -> Any:
        def apply(root: Any, order: list[int]) -> Any:
            return self.made(ops.softmax(root, axis=order[axis]), sizes=self.shape(root))

        return self.on_origin(self.tensor(x), apply)

    def gelu(self, x: Any, approximate: bool) -> Any:
        def apply(root: Any, _: list[int]) -> Any:
            if approximate:
                return self.made(ops.gelu(root, approximate=True), sizes=self.shape(root))
            # in the form that TFLite's converter knows; ops.gelu is lowered to Erfc, which tf2onnx 1.17 does not know
            half, one, root_half = (np.asarray(c, self.dtype(root)) for c in (0.5, 1.0, np.sqrt(0.5)))
            gate = ops.add(ops.erf(ops.multiply(root, root_half)), one)
            return self.made(ops.multiply(ops.multiply(root, half), gate), sizes=self.shape(root))

        return self.on_origin(self.tensor(x), apply)

    def matmul(self, x: Any, y: Any) -> Any:
        x, y = self.tensor(x), self.tensor(y)
        one, other = self.shape(x), self.shape(y)
        batch = self._together([one[:-2], other[:-2]], max(len(one), len(other)) - 2)
        sizes = None if batch is None else [*batch, one[-2], other[-1]]
        return self.made(ops.matmul(x, y), x, y, sizes=sizes)

    def einsum(self, equation: str, xs: Sequence[Any]) -> Any:
        xs = [self.tensor(x) for x in xs]
        left, _, right = equation.partition("->")
        sizes = None
        if right and "." not in equation:
            known = {
                letter: size
                for term, x in zip(left.split(","), xs, strict=True)
                for letter, size in zip(term, self.shape(x), strict=True)
            }
            sizes = [known[letter] for letter in right]
        return self.made(ops.einsum(equation, *xs), *xs, sizes=sizes)

    def det(self, x: Any) -> Any:
        return self.made(ops.det(self.tensor(x)), sizes=self.shape(x)[:-2])
