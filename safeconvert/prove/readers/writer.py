"""An ONNX graph written operator by operator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.prove.kernel.terms import Array

OPSET = 20
_IR = 9
FAR = 2**62
"""A bound of a Slice that is an end, however long the axis is."""


@dataclass(frozen=True)
class Input:
    """An input or output of the graph; None stands for a size that is free."""

    name: str
    kind: int
    shape: tuple[int | None, ...]


@dataclass
class Writer:
    """A graph in the making; tensors are spoken of by name."""

    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    _zeros: dict[tuple[str, int], str] = field(default_factory=dict)

    def constant(self, array: Array) -> str:
        """A constant."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def integers(self, *values: int) -> str:
        """A constant list of integers, as ONNX takes sizes, axes and places."""
        return self.constant(np.asarray(values, np.int64))

    def number(self, value: float) -> str:
        """A constant number in float32."""
        return self.constant(np.asarray(value, np.float32))

    def zeros(self, tensor: str, kind: int) -> str:
        """Zeros of a tensor's shape, of an ONNX type; made once of each, since they are as large as it."""
        if (tensor, kind) not in self._zeros:
            zero = numpy_helper.from_array(np.zeros(1, helper.tensor_dtype_to_np_dtype(kind)))
            self._zeros[tensor, kind] = self("ConstantOfShape", self("Shape", tensor), value=zero)
        return self._zeros[tensor, kind]

    def turned(self, tensor: str, axes: Sequence[int]) -> str:
        """A tensor, the other way around along some axes."""
        count = len(axes)
        lists = ([-1] * count, [-FAR] * count, axes, [-1] * count)
        return self("Slice", tensor, *(self.integers(*numbers) for numbers in lists))

    def of_truths(self, operator: str, tensor: str, axes: Sequence[int], keepdims: int) -> str:
        """Whether any (ReduceMax) or all (ReduceMin) truths along some axes hold."""
        numbers = self("Cast", tensor, to=onnx.TensorProto.INT64)
        return self("Cast", self(operator, numbers, self.integers(*axes), keepdims=keepdims), to=onnx.TensorProto.BOOL)

    def __call__(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """An operator of one output."""
        return self.several(operator, inputs, 1, **attributes)[0]

    def several(self, operator: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        """An operator of several outputs."""
        names = [f"{operator}_{len(self.nodes)}_{place}" for place in range(outputs)]
        self.nodes.append(
            helper.make_node(operator, list(inputs), names, name=f"{operator}_{len(self.nodes)}", **attributes)
        )
        return names

    def maker(self, tensor: str) -> onnx.NodeProto | None:
        """The operator that made a tensor; None for inputs and constants."""
        number = tensor.rsplit("_", 2)[-2:-1]
        if not number or not number[0].isdigit() or int(number[0]) >= len(self.nodes):
            return None
        found = self.nodes[int(number[0])]
        return found if tensor in found.output else None

    def constants_alone(self, tensor: str) -> bool:
        """Whether a tensor is computed of constants."""
        number = tensor.removeprefix("constant_")
        if number.isdigit() and int(number) < len(self.constants) and self.constants[int(number)].name == tensor:
            return True
        maker = self.maker(tensor)
        return maker is not None and all(self.constants_alone(name) for name in maker.input)

    def model(self, inputs: Sequence[Input], outputs: Sequence[tuple[Input, str]]) -> onnx.ModelProto:
        """The graph; each output with the tensor that it is."""
        ends = [
            helper.make_node("Identity", [tensor], [out.name], name=f"output_{out.name}") for out, tensor in outputs
        ]
        graph = helper.make_graph(
            [*self.nodes, *ends], "read", [_value(one) for one in inputs], [_value(out) for out, _ in outputs], self.constants
        )  # fmt: skip
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=_IR)


def _value(one: Input) -> onnx.ValueInfoProto:
    """All first axes are one free size, as a batch is; every other free size is its own."""
    free = [("batch" if axis == 0 else f"{one.name}_{axis}") for axis in range(len(one.shape))]
    sizes = [name if size is None else size for name, size in zip(free, one.shape, strict=True)]
    return helper.make_tensor_value_info(one.name, one.kind, sizes)
