"""One TFLite operator as its rule sees it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import onnx

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.tflite.flatbuffer import BYTE, Record
from safeconvert.prove.readers.writer import Writer

FLOAT = onnx.TensorProto.FLOAT
WHOLE = (onnx.TensorProto.INT32, onnx.TensorProto.INT64)


@dataclass(frozen=True)
class Tensor:
    """A tensor of the file: its name in the graph, ONNX type, sizes (None where free), numbers where it is constant, and name in the file."""

    name: str
    kind: int
    shape: tuple[int | None, ...]
    array: Array | None
    label: str


@dataclass(frozen=True)
class Operator:
    """An operator and what it reads; `inputs` has None where one is left out, `options` is an empty record where there are none."""

    write: Writer
    name: str
    inputs: tuple[Tensor | None, ...]
    outputs: tuple[Tensor, ...]
    options: Record

    def tensor(self, place: int) -> Tensor:
        """An input. Raises Refused where it is left out."""
        found = self.inputs[place] if place < len(self.inputs) else None
        if found is None:
            raise Refused(f"{self.name}: its input {place} is left out")
        return found

    def integers(self, place: int) -> list[int]:
        """A constant input of integers. Raises Refused where it is computed."""
        array = self.tensor(place).array
        if array is None or array.dtype.kind != "i":
            raise Refused(f"{self.name}: its input {place} is no constant of integers")
        return [int(number) for number in array.reshape(-1)]

    def size(self, place: int, axis: int) -> int:
        """A size of an input. Raises Refused where it is free."""
        size = self.tensor(place).shape[axis]
        if size is None:
            raise Refused(f"{self.name}: size {axis} of its input {place} is free")
        return size

    def only_float(self) -> None:
        """Raises Refused where its first input is of another type than float32."""
        if self.tensor(0).kind != FLOAT:
            raise Refused(f"{self.name}: of another type than float32")


Rule = Callable[[Operator], Sequence[str]]
"""Names of an operator's outputs in the graph. Raises Refused for what it does not know."""


def fused(o: Operator, field: int, tensor: str) -> list[str]:
    """The activation that an operator ends with, by the field of its options."""
    code = int(o.options.value(field, BYTE))
    match code:
        case 0:
            return [tensor]
        case 1:
            return [o.write("Relu", tensor)]
        case 2:
            return [o.write("Clip", tensor, o.write.number(-1.0), o.write.number(1.0))]
        case 3:
            return [o.write("Clip", tensor, o.write.number(0.0), o.write.number(6.0))]
    raise Refused(f"{o.name}: ends with the activation {code}")
