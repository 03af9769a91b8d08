"""What the Keras back end knows of its values: types, sizes, orders of dimensions, and constants as weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from .._operators.sizes import Dim, product

_IN_CONFIG = (
    64  # elements: a constant up to here is written into an operation's configuration, a larger one is a weight
)


class Values:
    """Keras tensors, and what is known of them beside.

    ONNX has channels second where Keras' image layers want them last. A transposed tensor is remembered together with what it
    is a transpose of, so that element-wise work is done on the original and two Transposes on end cancel.
    """

    def __init__(self, inputs: Mapping[str, tuple[Any, Sequence[Any]]]) -> None:
        """Of the model's inputs: tensor and sizes by name; free sizes are `Dim`s."""
        self._sizes: dict[int, tuple[Any, ...]] = {}
        self._origins: dict[int, tuple[Any, list[int]]] = {}
        self._transposed: dict[tuple[int, tuple[int, ...]], Any] = {}
        self._weights: dict[bytes, Any] = {}
        self._alive: list[Any] = []  # ids are keys, so that nothing may be collected
        self._inputs = dict(inputs)
        self._place: Any = None
        for tensor, sizes in self._inputs.values():
            self._keep(tensor, tuple(sizes))

    # -- sizes and types

    def dtype(self, x: Any) -> str:
        return str(x.dtype.name) if isinstance(x, np.ndarray) else keras.backend.standardize_dtype(x.dtype)

    def shape(self, x: Any) -> tuple[Any, ...]:
        return self._sizes.get(id(x), tuple(x.shape))

    def _keep(self, x: Any, sizes: tuple[Any, ...]) -> Any:
        self._sizes[id(x)] = sizes
        self._alive.append(x)
        return x

    def made(self, x: Any, *sources: Any, sizes: Sequence[Any] | None = None) -> Any:
        """Register a new tensor; a free size is taken from what it is made of where that has only one."""
        if sizes is None:
            free = {size for source in sources for size in self.shape(source) if isinstance(size, Dim)}
            only = free.pop() if len(free) == 1 else None
            sizes = [
                size if size is not None else only or Dim((f"unknown{len(self._alive)}.{axis}",))
                for axis, size in enumerate(x.shape)
            ]
        return self._keep(x, tuple(sizes))

    # -- constants

    def tensor(self, x: Any) -> Any:
        """A constant as a weight: a row of an Embedding that is looked up at 0."""
        if not isinstance(x, (np.ndarray, np.generic)):
            return x
        x = np.asarray(x)
        key = repr((x.shape, x.dtype.name)).encode() + np.ascontiguousarray(x).tobytes()
        if key not in self._weights:
            stored = x.astype(np.int32) if x.dtype.kind in "biu" and x.dtype.itemsize < 4 else x
            try:
                table = keras.layers.Embedding(
                    1, max(x.size, 1), embeddings_initializer="zeros", dtype=stored.dtype.name, trainable=False
                )
                row = table(self._zero())
            except (TypeError, ValueError) as error:
                raise NotImplementedError(f"a constant of type {x.dtype.name}: Keras has no weights of it") from error
            table.set_weights([np.resize(stored, (1, max(x.size, 1)))])
            flat = row if x.size else row[:, 0:0]
            value = ops.reshape(flat, x.shape)
            self._weights[key] = self.made(value if stored is x else ops.cast(value, x.dtype.name))
        return self._weights[key]

    def operand(self, x: Any) -> Any:
        """A small constant as it is, a large one as a weight."""
        if isinstance(x, (np.ndarray, np.generic)):
            x = np.asarray(x)
            return x if 0 < x.size <= _IN_CONFIG else self.tensor(x)  # nested lists lose the shape of no elements
        return x

    def _zero(self) -> Any:
        """The index 0 as a tensor of the model: constant, but reached from an input, as a functional model wants it."""
        if self._place is None:
            for tensor, sizes in self._inputs.values():
                if 0 not in sizes:
                    element = tensor[tuple(slice(0, 1) for _ in sizes)] if sizes else tensor
                    self._place = ops.cast(ops.zeros_like(ops.reshape(element, (1,))), "int32")
                    break
            else:
                raise NotImplementedError("a Keras model without an input cannot hold a constant")
        return self._place

    def along(self, size: Dim) -> Any:
        """Zeros (int32) of a free size that an input has, shape (size,)."""
        for tensor, sizes in self._inputs.values():
            for axis, own in enumerate(sizes):
                if own == Dim(size.symbols):
                    line = tensor[tuple(slice(None) if a == axis else slice(0, 1) for a in range(len(sizes)))]
                    zeros = ops.cast(ops.zeros_like(ops.reshape(line, (-1,))), "int32")
                    if size.coefficient != 1:
                        zeros = ops.repeat(zeros, size.coefficient, axis=0)
                    return self.made(zeros, sizes=[size])
        raise NotImplementedError(f"the size {' '.join(size.symbols)} is none of an input's")

    def sizes_tensor(self, sizes: np.ndarray) -> Any:
        parts = []
        for size in sizes.reshape(-1):
            if isinstance(size, Dim):
                total = ops.sum(ops.add(self.along(size), 1), keepdims=True)
                parts.append(ops.cast(total, "int64"))
            else:
                parts.append(self.tensor(np.array([size], dtype=np.int64)))
        together = ops.concatenate(parts, axis=0) if len(parts) > 1 else parts[0]
        return self.made(ops.reshape(together, sizes.shape))

    # -- orders of dimensions

    def origin(self, x: Any) -> tuple[Any, list[int]]:
        """What a tensor is a transpose of, and the order; itself where it is none."""
        return self._origins.get(id(x), (x, list(range(len(self.shape(x))))))

    def transpose(self, x: Any, order: Sequence[int]) -> Any:
        if isinstance(x, np.ndarray):
            return np.ascontiguousarray(x.transpose(order))
        root, before = self.origin(x)
        order = [before[axis] for axis in order]
        if order == sorted(order):
            return root
        key = (id(root), tuple(order))
        if key not in self._transposed:
            sizes = [self.shape(root)[axis] for axis in order]
            if self._keeps_elements(root, order) and sum(isinstance(size, Dim) for size in sizes) <= 1:
                moved = ops.reshape(root, [-1 if isinstance(size, Dim) else size for size in sizes])
            else:
                moved = ops.transpose(root, order)
            self.made(moved, sizes=sizes)
            self._transposed[key] = moved
            self._origins[id(moved)] = (root, order)
        return self._transposed[key]

    def _keeps_elements(self, root: Any, order: Sequence[int]) -> bool:
        """Whether only dimensions of size 1 move."""
        moving = [axis for axis in order if self.shape(root)[axis] != 1]
        return moving == sorted(moving)

    def in_order(self, x: Any) -> Any:
        """A tensor with the same elements in the same order: the original, where only dimensions of size 1 moved."""
        root, order = self.origin(x)
        return root if self._keeps_elements(root, order) else x

    def on_origin(self, x: Any, function: Callable[[Any, list[int]], Any]) -> Any:
        """Apply to the original what keeps dimensions as they are, and transpose the result.

        Args:
            x: a tensor.
            function: gets the original and its order (dimension j of x is dimension order[j] of it).
        """
        root, order = self.origin(x)
        made = function(root, order)
        return self.transpose(made, order) if order != sorted(order) else made

    def volume(self, x: Any) -> int:
        """Elements of one sample."""
        return int(product([size for size in self.shape(x) if isinstance(size, int)]))
