"""Loops of a fixed number of steps, and the lists of tensors that they read and write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.tf.node import Listed, Resource, Tensor
from safeconvert.prove.readers.writer import OPSET, Input, Writer

Value = Tensor | Resource | Listed
_FREE = -987_654_321
"""Stands for a size that is free."""
_MOVES = {"Slice", "Gather", "Squeeze", "Unsqueeze", "Cast", "Concat", "Identity", "Split", "Reshape"}
"""Operators that only move sizes."""
_STEPS = 2000


@dataclass
class Known:
    """Numbers of a graph in the making that do not depend on what it is fed.

    Attributes:
        write: the graph.
        given: its inputs.
        found: by tensor; None where nothing is known.
    """

    write: Writer
    given: Sequence[Input]
    found: dict[str, Array | None] = field(default_factory=dict)

    def array(self, tensor: Value) -> Array:
        """A tensor's numbers. Raises Refused where they are computed, or are free sizes."""
        array = self._of(tensor.name) if isinstance(tensor, Tensor) else None
        if array is None or (array.dtype.kind == "i" and (array == _FREE).any()):
            raise Refused("a loop, or a list of tensors, of a length that is not fixed")
        return array

    def _of(self, name: str) -> Array | None:
        """Numbers by tensor, in which `_FREE` stands for free sizes; what is read first is known first, however much."""
        waiting = [name]
        makers = {output: node for node in self.write.nodes for output in node.output}
        constants = {tensor.name: tensor for tensor in self.write.constants}
        while waiting:
            last = waiting[-1]
            if last in self.found:
                waiting.pop()
            elif last in constants:
                self.found[last] = numpy_helper.to_array(constants[last])
            elif last not in makers:
                self.found[last] = None
            elif makers[last].op_type == "Shape":
                self.found[last] = self._shape(makers[last])
            elif lacking := [one for one in makers[last].input if one and one not in self.found]:
                waiting += lacking
            else:
                self._made(makers[last])
        return self.found[name]

    def _made(self, node: onnx.NodeProto) -> None:
        reads = {name: self.found[name] for name in node.input if name}
        feeds = {name: array for name, array in reads.items() if array is not None}
        free = any(array.dtype.kind == "i" and (array == _FREE).any() for array in feeds.values())
        self.found.update(dict.fromkeys(node.output))
        if len(feeds) < len(reads) or (free and node.op_type not in _MOVES):
            return
        given = [
            helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
            for n, a in feeds.items()
        ]
        ends = [helper.make_empty_tensor_value_info(name) for name in node.output]
        model = helper.make_model(
            helper.make_graph([node], "one", given, ends), opset_imports=[helper.make_opsetid("", OPSET)]
        )
        made = ReferenceEvaluator(model).run(None, feeds)
        self.found.update({name: np.asarray(array) for name, array in zip(node.output, made, strict=True)})

    def _shape(self, node: onnx.NodeProto) -> Array | None:
        made = shape_inference.infer_shapes(self.write.model(self.given, []))
        for value in (*made.graph.value_info, *made.graph.input):
            if value.name == node.input[0] and value.type.tensor_type.HasField("shape"):
                ends = {a.name: a.i for a in node.attribute}
                sizes = [d.dim_value if d.HasField("dim_value") else _FREE for d in value.type.tensor_type.shape.dim]
                return np.asarray(sizes, np.int64)[ends.get("start", 0) : ends.get("end")]
        return None


def repeated(
    known: Known, state: Sequence[Value], goes_on: Callable[..., Sequence[Value]], step: Callable[..., Sequence[Value]]
) -> list[Value]:
    """What a While makes: its body as often as its condition says."""
    values = list(state)
    for _ in range(_STEPS):
        if not known.array(goes_on(values)[0]).all():
            return values
        values = list(step(values))
    raise Refused(f"a loop of more than {_STEPS} steps")


def listed(known: Known, operator: str, inputs: Sequence[Value]) -> list[Value]:
    """Operators on lists of tensors. Raises Refused where the length of one is not fixed, or one is read before it is written."""
    write = known.write
    first = inputs[0]
    if operator == "TensorListFromTensor" and isinstance(first, Tensor):
        sizes = known.array(Tensor(write("Shape", first.name, start=0, end=1)))
        places = (write.constant(np.asarray(place, np.int64)) for place in range(int(sizes[0])))
        return [Listed(tuple(Tensor(write("Gather", first.name, place, axis=0)) for place in places))]
    if operator == "TensorListReserve":
        return [Listed((None,) * int(known.array(inputs[1])))]
    if not isinstance(first, Listed):
        raise Refused(f"{operator}: of other than a list")
    if operator == "TensorListLength":
        return [Tensor(write.constant(np.asarray(len(first.parts), np.int32)))]
    if operator == "TensorListStack":
        parts = [part.name for part in first.parts if part is not None]
        if not parts or len(parts) < len(first.parts):
            raise Refused("TensorListStack: of a list that is not full")
        at = write.integers(0)
        return [Tensor(write("Concat", *(write("Unsqueeze", part, at) for part in parts), axis=0))]
    place = int(known.array(inputs[1]))
    if not 0 <= place < len(first.parts):
        raise Refused(f"{operator}: beyond the end")
    if operator == "TensorListSetItem" and isinstance(inputs[2], Tensor):
        return [Listed((*first.parts[:place], inputs[2], *first.parts[place + 1 :]))]
    part = first.parts[place]
    if operator != "TensorListGetItem" or part is None:
        raise Refused(f"{operator}: of what is not there")
    return [part]
