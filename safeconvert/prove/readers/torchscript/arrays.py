"""Constant tensors that a model's code makes and writes into before it uses them, such as masks: numbers of numpy, whose views are torch's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.torch.archive import kind_of


@dataclass
class Arrays:
    """Operators on constants. What was handed over to the graph is not written into any more."""

    _handed: dict[int, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.operators: Mapping[str, Callable[..., Any]] = {
            "slice": _slice, "select": _select, "fill_": self._fill, "zeros": _zeros, "new_zeros": _zeros,
        }  # fmt: skip

    def knows(self, name: str, args: list[Any], keywords: Mapping[str, Any]) -> bool:
        """Whether it is known, and all is constant: sizes of what is made, and what is read."""
        if name not in self.operators:
            return False
        if name.endswith("zeros"):
            given = [one for one in args if isinstance(one, list)]
            return bool(given) and all(isinstance(size, int) for size in given[0]) and keywords.get("layout") is None
        return isinstance(args[0], np.ndarray) and args[0].ndim > 0

    def __call__(self, name: str, args: list[Any], keywords: Mapping[str, Any]) -> Any:
        """Call one."""
        return self.operators[name](*args, **keywords)

    def hand_over(self, one: Array) -> None:
        """From now on the graph holds these numbers."""
        self._handed[id(_root(one))] = _root(one)

    def _fill(self, held: Array, value: Any) -> Array:
        if id(_root(held)) in self._handed or not held.flags.writeable:
            raise Refused("fill_ writes into numbers that are read elsewhere")
        held[...] = value
        return held


def _root(one: Array) -> Array:
    while isinstance(one.base, np.ndarray):
        one = one.base
    return one


def _slice(held: Array, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Array:
    return held[(slice(None),) * (dim % held.ndim) + (slice(start, end, step),)]


def _select(held: Array, dim: int, index: int) -> Array:
    return held[(slice(None),) * (dim % held.ndim) + (slice(index, index + 1 or None),)].squeeze(dim % held.ndim)


def _zeros(*args: Any, dtype: int | None = None, **_: Any) -> Array:
    """zeros of a size, and new_zeros of a tensor's type."""
    size = next(one for one in args if isinstance(one, list))
    like = np.float32 if size is args[0] or not isinstance(args[0], np.ndarray) else args[0].dtype
    return np.zeros(size, like if dtype is None else kind_of(dtype + 1))
