"""One TensorFlow node as its rule sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.tf.checkpoint import KINDS
from safeconvert.prove.readers.tf.wire import Message
from safeconvert.prove.readers.writer import Writer

FLOAT = 1
"""float32, in TensorFlow's numbers."""


@dataclass(frozen=True)
class Tensor:
    """A tensor: its name in the graph, and its numbers where it is constant."""

    name: str
    array: Array | None = None


@dataclass(frozen=True)
class Resource:
    """A variable, by its key in the checkpoint."""

    key: str


@dataclass(frozen=True)
class Listed:
    """A list of tensors; None where nothing was written yet."""

    parts: tuple[Tensor | None, ...]


@dataclass(frozen=True)
class Node:
    """A node, and what it reads."""

    write: Writer
    operator: str
    attributes: Mapping[str, Message]
    inputs: tuple[Tensor, ...]

    def integers(self, place: int) -> list[int]:
        """A constant input of integers. Raises Refused where it is computed."""
        array = self.inputs[place].array
        if array is None or array.dtype.kind != "i":
            raise Refused(f"{self.operator}: its input {place} is no constant of integers")
        return [int(number) for number in array.reshape(-1)]

    def weights(self, place: int) -> Array:
        """A constant input. Raises Refused where it is computed."""
        array = self.inputs[place].array
        if array is None:
            raise Refused(f"{self.operator}: its input {place} is no constant")
        return array

    def kind(self, name: str = "T") -> int:
        """An element type, in TensorFlow's numbers. Raises Refused where there is none."""
        if name not in self.attributes:
            if self.operator not in ("MaxPool", "LeakyRelu"):
                raise Refused(f"{self.operator}: has no type {name}")
            return FLOAT  # by default, which files may leave out
        return self.attributes[name].integer(6)

    def only_float(self) -> None:
        """Raises Refused where it works on another type than float32."""
        if self.kind() != FLOAT:
            raise Refused(f"{self.operator}: of another type than float32")

    def onnx_kind(self, name: str) -> int:
        """An element type, in ONNX' numbers. Raises Refused for one that is not read."""
        number = self.kind(name)
        if number not in KINDS:
            raise Refused(f"{self.operator}: of TensorFlow's type {number}")
        return int(onnx.helper.np_dtype_to_tensor_dtype(np.dtype(KINDS[number])))

    def flag(self, name: str) -> bool:
        """An attribute of truth; False where it is left out."""
        return name in self.attributes and bool(self.attributes[name].integer(5))

    def real(self, name: str, default: float) -> float:
        """An attribute of float32."""
        return self.attributes[name].real(4) if name in self.attributes else default

    def listed(self, name: str) -> list[int]:
        """An attribute of integers; [] where it is left out."""
        return self.attributes[name].message(1).integers(3) if name in self.attributes else []

    def word(self, name: str, default: str) -> str:
        """An attribute of text."""
        return self.attributes[name].text(2) if name in self.attributes else default

    def made(self, operator: str, *inputs: str, **attributes: object) -> list[Tensor]:
        """One ONNX operator of one output."""
        return [Tensor(self.write(operator, *inputs, **attributes))]


Rule = Callable[[Node], Sequence[Tensor]]
"""A node's outputs. Raises Refused for what it does not know."""
