"""One call of a Keras layer as its rule sees it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import onnx

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.writer import Writer


@dataclass(frozen=True)
class Tensor:
    """A tensor: its name in the graph, how many axes it has, and its ONNX type."""

    name: str
    rank: int
    kind: int = onnx.TensorProto.FLOAT

    @property
    def whole(self) -> bool:
        """Whether it holds integers, or truths."""
        return bool(self.kind != onnx.TensorProto.FLOAT)


@dataclass(frozen=True)
class Layer:
    """A layer, called on tensors; `settings` are the arguments of the call that are no tensors and not None."""

    write: Writer
    kind: str
    config: Mapping[str, Any]
    weights: Sequence[Array]
    inputs: tuple[Tensor, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def x(self) -> Tensor:
        """Its only input. Raises Refused where there are several, or it holds integers."""
        if len(self.inputs) != 1 or self.inputs[0].whole:
            raise Refused(f"{self.kind}: takes one input of floating-point numbers")
        return self.inputs[0]

    def only(self, **wanted: Any) -> None:
        """Raises Refused where a setting is there and another than the one given."""
        for name, value in wanted.items():
            if self.config.get(name, value) != value:
                raise Refused(f"{self.kind}: {name} is {self.config[name]}")

    def weight(self, place: int) -> str:
        """A weight, as a constant. Raises Refused where there are fewer."""
        if place >= len(self.weights):
            raise Refused(f"{self.kind}: has {len(self.weights)} weights")
        return self.write.constant(self.weights[place])

    @property
    def first(self) -> bool:
        """Whether its channels are the second axis. Raises Refused where it does not say."""
        given = self.config.get("data_format", "channels_last")
        if given not in ("channels_first", "channels_last"):
            raise Refused(f"{self.kind}: its order of axes is left to a setting of Keras")
        return bool(given == "channels_first")

    def channels_first(self, tensor: Tensor) -> str:
        """An input with its channels second."""
        return tensor.name if self.first else moved(self.write, tensor, first=True)

    def from_first(self, name: str, rank: int) -> Tensor:
        """A result, channels second, in the layer's order of axes."""
        made = Tensor(name, rank)
        return made if self.first else Tensor(moved(self.write, made, first=False), rank)


Rule = Callable[[Layer], Tensor]
"""What a layer makes of its inputs. Raises Refused for what it does not know."""


def moved(write: Writer, tensor: Tensor, first: bool) -> str:
    """A tensor with its last axis as second, or its second as last."""
    rank = tensor.rank
    if rank < 3:
        return tensor.name
    order = [0, rank - 1, *range(1, rank - 1)] if first else [0, *range(2, rank), 1]
    return write("Transpose", tensor.name, perm=order)


def numbers(value: Any, count: int) -> list[int]:
    """A setting that is one number for all axes, or a list of them."""
    found = [value] * count if isinstance(value, int) else list(value)
    if len(found) != count or not all(type(one) is int for one in found):
        raise Refused(f"{value} is no list of {count} numbers")
    return found


FLOAT, INT32 = onnx.TensorProto.FLOAT, onnx.TensorProto.INT32
