"""An ONNX graph in the making, and what an operator's rule gets to see of the TFLite file.

A quantised tensor is whole numbers in float32 here, its bytes less the zero point: they fit, padding is zero, and every framework
computes with them. Each tensor may lie with its channels last, as in TFLite, second, as ONNX' windows want it, or both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.errors import UnusableInput

from .file import File, Step, Tensor

OPSET = 17
_IR = 8


@dataclass
class Held:
    """What a tensor is called with its channels last and second; "" where it is not written so yet."""

    last: str = ""
    second: str = ""


@dataclass
class Graph:
    """Nodes and constants so far, and the name of every tensor of the file."""

    file: File
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    held: dict[int, Held] = field(default_factory=dict)

    def constant(self, array: Any) -> str:
        """A constant of an array; numbers of Python become float32."""
        made = np.asarray(array, np.float32) if type(array) in (int, float) else np.array(array, order="C")
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(made, name))
        return name

    def whole(self, *values: int) -> str:
        """A constant list of integers, as ONNX takes sizes and axes."""
        return self.constant(np.asarray(values, np.int64))

    def __call__(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """A node of one output; its name."""
        return self.several(operator, inputs, 1, **attributes)[0]

    def several(self, operator: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        """A node of several outputs; their names."""
        number = len(self.nodes)
        names = [f"{operator}_{number}_{place}" for place in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, name=f"node_{number}", **attributes))
        return names

    def last(self, place: int) -> str:
        """A tensor with its channels last."""
        held = self._held(place)
        if not held.last:
            held.last = self("Transpose", held.second, perm=[0, 2, 3, 1])
        return held.last

    def second(self, place: int) -> str:
        """A tensor of four dimensions with its channels second."""
        held = self._held(place)
        if not held.second:
            held.second = self("Transpose", held.last, perm=[0, 3, 1, 2])
        return held.second

    def is_second(self, place: int) -> bool:
        """Whether it is there with its channels second."""
        return bool(self._held(place).second)

    def _held(self, place: int) -> Held:
        if place not in self.held:
            tensor = self.file.tensors[place]
            if tensor.array is None:
                raise UnusableInput(f"{tensor.name}: read before it is computed")
            self.held[place] = Held(self.constant(tensor.centred))
        return self.held[place]


@dataclass(frozen=True)
class Operator:
    """An operator of the file while it is written."""

    write: Graph
    step: Step

    def tensor(self, place: int) -> Tensor:
        """An operand. Raises UnusableInput where it is left out."""
        if not self.has(place):
            raise self.refuse(f"lacks its operand {place}")
        return self.write.file.tensors[self.step.reads[place]]

    def has(self, place: int) -> bool:
        """Whether an operand is there."""
        return place < len(self.step.reads) and self.step.reads[place] >= 0

    @property
    def output(self) -> Tensor:
        """The first of what it gives."""
        return self.write.file.tensors[self.step.gives[0]]

    @property
    def quantized(self) -> bool:
        """Whether it gives bytes that stand for real values. Raises UnusableInput for a type that is not known here, as int16."""
        if not self.output.kind:
            raise self.refuse("computes in a type that is not supported")
        return self.output.quantized

    def last(self, place: int = 0) -> str:
        """An operand with its channels last."""
        self.tensor(place)
        return self.write.last(self.step.reads[place])

    def second(self, place: int = 0) -> str:
        """An operand with its channels second."""
        self.tensor(place)
        return self.write.second(self.step.reads[place])

    def is_second(self, place: int = 0) -> bool:
        """Whether an operand already lies with its channels second."""
        return self.write.is_second(self.step.reads[place])

    def integers(self, place: int) -> tuple[int, ...]:
        """A constant operand of integers. Raises UnusableInput where it is computed."""
        array = self.tensor(place).array
        if array is None:
            raise self.refuse(f"computes its operand {place}, which has to be a constant")
        return tuple(int(value) for value in array.ravel())

    def give(self, last: str = "", second: str = "", place: int = 0) -> None:
        """Say what an output is called."""
        self.write.held[self.step.gives[place]] = Held(last, second)

    def option(self, name: str, default: Any = 0) -> Any:
        """One of its options by the schema's name."""
        return getattr(self.step.options, name, default)

    def refuse(self, reason: str) -> UnusableInput:
        """What to raise where it cannot be said."""
        return UnusableInput(
            f"operator {self.step.index} ({self.step.name}, {self.write.file.tensors[self.step.gives[0]].name}) {reason}",
            "take another route, tf2onnx for one, and compare by labels: --comparator top1",
        )


Rule = Callable[[Operator], None]


def model(
    graph: Graph, ends: Sequence[onnx.NodeProto], inputs: Sequence[Any], outputs: Sequence[Any]
) -> onnx.ModelProto:
    """The finished graph."""
    made = helper.make_graph([*graph.nodes, *ends], "tflite", list(inputs), list(outputs), graph.constants)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=_IR)
