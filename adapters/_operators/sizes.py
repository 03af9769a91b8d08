"""Sizes that are not all known while converting, and the integer arithmetic that graphs do on them.

A vector of sizes is a numpy array of dtype object whose entries are ints or free sizes. A free size is whatever the back end
says: torch's SymInt, or `Dim` for Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Dim:
    """A free size: a coefficient times the sizes that symbols stand for."""

    symbols: tuple[str, ...]
    coefficient: int = 1

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Dim):
            return Dim(tuple(sorted(self.symbols + other.symbols)), self.coefficient * other.coefficient)
        return Dim(self.symbols, self.coefficient * int(other)) if int(other) else 0

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Any:
        """The exact quotient. Raises TypeError where it is not known to be exact."""
        symbols, coefficient = list(self.symbols), other
        if isinstance(other, Dim):
            coefficient = other.coefficient
            for symbol in other.symbols:
                if symbol not in symbols:
                    raise TypeError(f"{self} is not known to be a multiple of {other}")
                symbols.remove(symbol)
        if coefficient == 0 or self.coefficient % coefficient:
            raise TypeError(f"{self} is not known to be a multiple of {other}")
        quotient = self.coefficient // int(coefficient)
        return Dim(tuple(symbols), quotient) if symbols else quotient

    __truediv__ = __floordiv__


def is_sizes(value: Any) -> bool:
    """Whether a value is a vector of sizes with free ones among them."""
    return isinstance(value, np.ndarray) and value.dtype == object


def settled(sizes: Any) -> np.ndarray:
    """Sizes as int64 where all are known, else as they are."""
    array = np.asarray(sizes, dtype=object)
    if all(isinstance(size, (int, np.integer)) for size in array.reshape(-1)):
        return array.astype(np.int64)
    return array


def product(sizes: Sequence[Any]) -> Any:
    """Their product."""
    result: Any = 1
    for size in sizes:
        result = result * size
    return result


def on_sizes(operator: str, node: Any, values: Sequence[Any]) -> np.ndarray | None:
    """The result of an operator on vectors of sizes; None where it is none of those that keep to whole sizes."""
    make = _ON_SIZES.get(operator)
    if make is None or any(value is not None and not isinstance(value, np.ndarray) for value in values):
        return None
    try:
        result = make(node, *values)
    except (TypeError, ValueError, IndexError):
        return None
    return None if result is None else settled(result)


def _axes(node: Any, given: np.ndarray | None) -> tuple[int, ...]:
    axes = node.attribute("axes") if given is None else given.reshape(-1).tolist()
    return tuple(int(axis) for axis in axes)


def _gather(node: Any, sizes: np.ndarray, indices: np.ndarray) -> Any:
    taken = np.empty(indices.shape, dtype=object)
    taken[...] = np.take(sizes, indices.astype(np.int64), axis=node.attribute("axis", 0))
    return taken


def _slice(node: Any, sizes: np.ndarray, *given: np.ndarray | None) -> Any:
    if not given:
        starts, ends, steps = node.attribute("starts"), node.attribute("ends"), [1]
    else:
        parts = [None if part is None else part.reshape(-1).tolist() for part in given]
        starts, ends, steps = parts[0], parts[1], parts[3] if len(parts) > 3 and parts[3] else [1]
    return sizes[int(starts[0]) : int(ends[0]) : int(steps[0])] if sizes.ndim == 1 else None


def _squeeze(node: Any, sizes: np.ndarray, axes: np.ndarray | None = None) -> Any:
    if axes is None and node.attribute("axes") is None:
        return sizes.squeeze()
    return sizes.squeeze(_axes(node, axes))


def _unsqueeze(node: Any, sizes: np.ndarray, axes: np.ndarray | None = None) -> Any:
    return np.expand_dims(sizes, _axes(node, axes))


def _multiplied(node: Any, sizes: np.ndarray, axes: np.ndarray | None = None) -> Any:
    """ReduceProd over all axes, as the sizes of a shape are multiplied; None where some are kept apart."""
    named = node.attribute("axes") if axes is None else axes.reshape(-1).tolist()
    if named is not None and {int(axis) % sizes.ndim for axis in named} != set(range(sizes.ndim)):
        return None
    whole = np.empty([1] * sizes.ndim if node.attribute("keepdims", 1) else [], dtype=object)
    whole[...] = product(sizes.reshape(-1).tolist())
    return whole


def _cast(node: Any, sizes: np.ndarray) -> Any:
    return sizes if node.attribute("to") in (6, 7) else None


def _equal(node: Any, a: np.ndarray, b: np.ndarray) -> Any:
    pairs = np.broadcast(a, b)
    return np.array([bool(one == other) for one, other in pairs], dtype=bool).reshape(pairs.shape).astype(np.int64)


def _where(node: Any, condition: np.ndarray, a: np.ndarray, b: np.ndarray) -> Any:
    return None if is_sizes(condition) else np.where(condition.astype(bool), a.astype(object), b.astype(object))


def _arithmetic(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    return lambda node, a, b: function(a.astype(object), b.astype(object))


_ON_SIZES: dict[str, Callable[..., Any]] = {
    "Gather": _gather,
    "Slice": _slice,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Cast": _cast,
    "Identity": lambda node, sizes: sizes,
    "Reshape": lambda node, sizes, shape: None if is_sizes(shape) else sizes.reshape(shape.tolist()),
    "Concat": lambda node, *parts: np.concatenate([part.astype(object) for part in parts]),
    "Equal": _equal,
    "Where": _where,
    "Mul": _arithmetic(lambda a, b: a * b),
    "Div": _arithmetic(lambda a, b: a // b),
    "Add": _arithmetic(lambda a, b: a + b),
    "Sub": _arithmetic(lambda a, b: a - b),
    "ReduceProd": _multiplied,
}
