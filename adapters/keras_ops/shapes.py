"""The primitives that move elements, in Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from .._operators.sizes import Dim, product
from .values import Values


class Shapes(Values):
    """See `_operators.backend` for what each method promises."""

    def cast(self, x: Any, dtype: str) -> Any:
        if isinstance(x, np.ndarray):
            return x.astype(dtype)
        if self.dtype(x) == dtype:
            return x
        return self.on_origin(x, lambda root, _: self.made(ops.cast(root, dtype), root))

    def bitcast(self, x: Any, dtype: str) -> Any:
        return self.on_origin(self.tensor(x), lambda root, _: self.made(ops.view(root, dtype), sizes=self.shape(root)))

    def reshape(self, x: Any, sizes: Sequence[Any]) -> Any:
        free = [size for size in sizes if isinstance(size, Dim)]
        if isinstance(x, np.ndarray) and not free:
            return x.reshape(sizes)
        x = self.in_order(self.tensor(x))
        sizes = list(sizes)
        if -1 in sizes:
            index = sizes.index(-1)
            try:
                sizes[index] = product(self.shape(x)) // product(sizes[:index] + sizes[index + 1 :])
            except (TypeError, ZeroDivisionError):
                sizes[index] = Dim((f"unknown{len(self._alive)}",))
        if tuple(sizes) == self.shape(x):
            return x
        if sum(isinstance(size, Dim) for size in sizes) > 1:
            raise NotImplementedError("a Keras Reshape to two free sizes")
        return self.made(ops.reshape(x, [-1 if isinstance(size, Dim) else int(size) for size in sizes]), sizes=sizes)

    def broadcast(self, x: Any, sizes: Sequence[Any]) -> Any:
        sizes = list(sizes)
        if all(isinstance(size, int) for size in sizes):
            if isinstance(x, np.ndarray) and product(sizes) < 1 << 16:
                return np.ascontiguousarray(np.broadcast_to(x, sizes))
            return self.made(ops.broadcast_to(self.tensor(x), sizes))
        x = self.reshape(x, [1] * (len(sizes) - len(self.shape(x))) + list(self.shape(x)))
        own = self.shape(x)
        repeats = [s if isinstance(s, int) and o == 1 else 1 for s, o in zip(sizes, own, strict=True)]
        if any(repeat != 1 for repeat in repeats):
            now = [o if r == 1 else s for s, o, r in zip(sizes, own, repeats, strict=True)]
            x = np.tile(x, repeats) if isinstance(x, np.ndarray) else self.made(ops.tile(x, repeats), sizes=now)
        for axis, size in enumerate(sizes):
            if isinstance(size, Dim) and self.shape(x)[axis] == 1:
                lines = self.reshape(self.along(size), [size if a == axis else 1 for a in range(len(sizes))])
                x = self.operand(x)
                x = self.made(
                    ops.where(ops.equal(lines, 0), x, x),
                    sizes=[*self.shape(x)[:axis], size, *self.shape(x)[axis + 1 :]],
                )
        return x

    def tile(self, x: Any, repeats: Sequence[int]) -> Any:
        x = self.tensor(x)
        sizes = [size * repeat for size, repeat in zip(self.shape(x), repeats, strict=True)]
        return self.made(ops.tile(x, list(repeats)), sizes=sizes)

    def concat(self, xs: Sequence[Any], axis: int) -> Any:
        xs = [self.tensor(x) for x in xs]
        if len(xs) == 1:
            return xs[0]
        if self.dtype(xs[0]) == "uint64":  # Keras 3.15 takes the whole for uint32
            return self.bitcast(self.concat([self.bitcast(x, "int64") for x in xs], axis), "uint64")
        _, order = self.origin(max(xs, key=self.volume))
        inverse = [int(index) for index in np.argsort(order)]
        roots = [self.transpose(x, inverse) for x in xs]
        joined = ops.concatenate(roots, axis=order[axis])
        along = [self.shape(root)[order[axis]] for root in roots]
        sizes = list(self.shape(roots[0]))
        sizes[order[axis]] = sum(along) if all(isinstance(size, int) for size in along) else None
        return self.transpose(self.made(joined, *roots, sizes=None if None in sizes else sizes), order)

    def slice(self, x: Any, parts: Sequence[slice]) -> Any:
        if isinstance(x, np.ndarray):
            return np.ascontiguousarray(x[tuple(parts)])
        if all(part == slice(None) for part in parts):
            return x
        if any(isinstance(value, Dim) for part in parts for value in (part.start, part.stop, part.step)):
            raise NotImplementedError("a Keras slice to a free size")

        def apply(root: Any, order: list[int]) -> Any:
            moved = [slice(None)] * len(order)
            for axis, part in enumerate(parts):
                moved[order[axis]] = part
            cut = root[tuple(moved)]
            sizes = [
                own if part == slice(None) else len(range(*part.indices(own))) if isinstance(own, int) else None
                for own, part in zip(self.shape(root), moved, strict=True)
            ]
            fresh = [Dim((f"unknown{len(self._alive)}.{a}",)) if s is None else s for a, s in enumerate(sizes)]
            return self.made(cut, sizes=fresh)

        return self.on_origin(x, apply)

    def flip(self, x: Any, axes: Sequence[int]) -> Any:
        x = self.tensor(x)
        return self.on_origin(
            x, lambda root, order: self.made(ops.flip(root, [order[axis] for axis in axes]), sizes=self.shape(root))
        )

    def pad(self, x: Any, pads: Sequence[tuple[int, int]], value: Any = 0) -> Any:
        if isinstance(x, np.ndarray):
            return np.pad(x, pads, constant_values=value)
        if all(pair == (0, 0) for pair in pads):
            return x

        def apply(root: Any, order: list[int]) -> Any:
            moved = [(0, 0)] * len(order)
            for axis, pair in enumerate(pads):
                moved[order[axis]] = pair
            if self.dtype(root) == "bool":
                padded = ops.cast(ops.pad(ops.cast(root, "int32"), moved, constant_values=int(bool(value))), "bool")
            else:
                padded = ops.pad(root, moved, constant_values=value)
            return self.made(padded, root)

        return self.on_origin(x, apply)

    def take(self, x: Any, indices: Any, axis: int) -> Any:
        if isinstance(x, np.ndarray) and isinstance(indices, np.ndarray):
            return np.take(x, indices, axis)
        if isinstance(x, np.ndarray) and x.ndim == 2 and axis == 0 and x.dtype.kind == "f" and min(x.shape):
            table = keras.layers.Embedding(*x.shape, dtype=x.dtype.name)
            rows = table(indices)
            table.set_weights([x])
            return self.made(rows, sizes=[*self.shape(indices), x.shape[1]])
        x = self.tensor(x)
        if isinstance(indices, np.ndarray):
            small = indices.astype(np.int32) if indices.size == 0 or indices.max() < 1 << 31 else indices
            if small.ndim == 1:
                positions = small.tolist() if small.size <= 4096 else self.tensor(small)

                def apply(root: Any, order: list[int]) -> Any:
                    return self.made(ops.take(root, positions, axis=order[axis]), root)

                return self.on_origin(x, apply)
            indices = self.operand(small)
        sizes = [*self.shape(x)[:axis], *self.shape(indices), *self.shape(x)[axis + 1 :]]
        return self.made(ops.take(x, indices, axis=axis), sizes=sizes)

    def take_along(self, x: Any, indices: Any, axis: int) -> Any:
        x, indices = self.tensor(x), self.operand(indices)
        return self.made(ops.take_along_axis(x, indices, axis=axis), sizes=self.shape(indices))

    def scatter(self, x: Any, indices: Any, updates: Any, how: str) -> Any:
        x, indices, updates = self.tensor(x), self.operand(indices), self.operand(updates)
        (size,), (count,) = self.shape(x), self.shape(indices)
        if not isinstance(size, int) or not isinstance(count, int):
            raise NotImplementedError("a Keras scatter into a free size")
        if how == "none":
            return self.made(ops.scatter_update(x, ops.reshape(indices, (count, 1)), updates))
        if how == "add":
            return self.made(ops.add(x, ops.scatter(ops.reshape(indices, (count, 1)), updates, (size,))))
        if count * size > 1 << 22:
            raise NotImplementedError(f"a Keras scatter of {count} updates into {size} elements with {how}")
        kind = self.dtype(x)
        limits = (-np.inf, np.inf) if "float" in kind else (np.iinfo(kind).min, np.iinfo(kind).max)
        neutral = np.asarray({"mul": 1, "max": limits[0], "min": limits[1]}[how], dtype=kind)
        hit = ops.equal(
            ops.reshape(indices, (count, 1)), self.operand(np.arange(size, dtype=self.dtype(indices))[None])
        )
        spread = ops.where(hit, ops.reshape(updates, (count, 1)), neutral)
        reduced, join = {"mul": (ops.prod, ops.multiply), "max": (ops.max, ops.maximum), "min": (ops.min, ops.minimum)}[
            how
        ]
        return self.made(ops.cast(join(x, reduced(spread, axis=0)), kind))
