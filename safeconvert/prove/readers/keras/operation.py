"""A Keras operation as its rule sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.keras.layer import FLOAT, Tensor
from safeconvert.prove.readers.writer import Writer

TRUTH = TensorProto.BOOL
WHOLE = (TensorProto.INT32, TensorProto.INT64)
KINDS = {"float32": FLOAT, "int32": TensorProto.INT32, "int64": TensorProto.INT64, "bool": TRUTH}
"""ONNX types by Keras' names."""


@dataclass(frozen=True)
class Operation:
    """An operation, and its arguments in order, in which tensors are `Tensor`."""

    write: Writer
    kind: str
    config: Mapping[str, Any]
    arguments: Sequence[Any]

    @property
    def x(self) -> Tensor:
        """Its first argument. Raises Refused where it is no tensor of floating-point numbers."""
        if not self.arguments or not isinstance(self.arguments[0], Tensor) or self.arguments[0].whole:
            raise Refused(f"{self.kind}: of other than a tensor of floating-point numbers")
        return self.arguments[0]

    @property
    def moving(self) -> Tensor:
        """Its first argument, whatever it holds. Raises Refused where it is no tensor."""
        if not self.arguments or not isinstance(self.arguments[0], Tensor):
            raise Refused(f"{self.kind}: of other than a tensor")
        return self.arguments[0]

    def like(self, place: int, kind: int) -> Tensor:
        """A tensor of a type, int32 as int64, or integers and truths that fit it. Raises Refused for others, which Keras would cast."""
        given = self.arguments[place]
        if isinstance(given, Tensor) and given.kind == kind:
            return given
        if isinstance(given, Tensor) and (given.kind, kind) == WHOLE:
            return Tensor(self.write("Cast", given.name, to=kind), given.rank, kind)
        wanted = np.dtype(helper.tensor_dtype_to_np_dtype(kind))
        if (type(given) is int and kind in WHOLE) or (type(given) is bool and kind == TRUTH):
            return Tensor(self.write.constant(np.asarray(given, wanted)), 0, kind)
        fits = isinstance(given, np.ndarray) and np.can_cast(given.dtype, wanted)
        if not fits or (given.dtype.kind == "b") != (wanted.kind == "b"):
            raise Refused(f"{self.kind}: of integers and {self._said(place)}")
        return Tensor(self.write.constant(given.astype(wanted)), given.ndim, kind)

    def _said(self, place: int) -> str:
        given = self.arguments[place]
        return f"a tensor of the type {given.kind}" if isinstance(given, Tensor) else str(given)[:40]

    def common(self, *places: int) -> int:
        """The type of some arguments, the wider one of integers: of tensors among them, else of arrays, else float32."""
        given = [self.arguments[place] for place in places]
        kinds = [one.kind for one in given if isinstance(one, Tensor)]
        if not kinds and all(isinstance(one, np.ndarray) and one.dtype.kind in "ib" for one in given):
            kinds = [KINDS.get(one.dtype.name, FLOAT) for one in given]
        return next((kind for kind in (FLOAT, *WHOLE[::-1]) if kind in kinds), kinds[0] if kinds else FLOAT)

    def both(self) -> tuple[Tensor, Tensor]:
        """Two operands of one type, integers of the wider one. Raises Refused for others, which Keras would cast, and for more."""
        if len(self.arguments) != 2 or not any(isinstance(one, Tensor) for one in self.arguments):
            raise Refused(f"{self.kind}: of {len(self.arguments)} operands, or of constants")
        kind = self.common(0, 1)
        if kind == FLOAT:
            return self.operand(0), self.operand(1)
        return self.like(0, kind), self.like(1, kind)

    def alone(self) -> Tensor:
        """Its only argument. Raises Refused where there are more."""
        if len(self.arguments) != 1:
            raise Refused(f"{self.kind}: with {len(self.arguments)} arguments")
        return self.x

    def operand(self, place: int) -> Tensor:
        """A tensor, number or constant as a tensor."""
        given = self.arguments[place]
        if isinstance(given, Tensor):
            if given.whole:
                raise Refused(f"{self.kind}: of integers")
            return given
        if isinstance(given, bool) or not isinstance(given, int | float | np.ndarray):
            raise Refused(f"{self.kind}: on {str(given)[:40]}")
        array = np.asarray(given, np.float32)
        return Tensor(self.write.constant(array), array.ndim)

    def tensors(self) -> list[Tensor]:
        """A list of tensors of one type as the first argument."""
        given = self.arguments[0] if len(self.arguments) == 1 else None
        if not isinstance(given, list) or not all(
            isinstance(one, Tensor) and one.kind == given[0].kind for one in given
        ):
            raise Refused(f"{self.kind}: of other than a list of tensors of one type")
        return given

    def axes(self, name: str = "axis") -> list[int]:
        """Axes as the configuration has them; all where it has none."""
        given, rank = self.config.get(name), self.moving.rank
        found = range(rank) if given is None else [given] if isinstance(given, int) else given
        return [int(axis) % rank for axis in found]


Rule = Callable[[Operation], Tensor | list[Tensor]]
