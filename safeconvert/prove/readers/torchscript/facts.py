"""Types and sizes of a graph's tensors while it is written, at several sizes of what is free: what is the same at all is fixed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import defs, helper, numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.torch.call import Tensor
from safeconvert.prove.readers.writer import OPSET, Input, Writer

_PRIMES = (
    (97, 89, 83, 79, 73, 71, 67, 61),
    (431, 419, 409, 401, 397, 389, 383, 379),
    (2027, 2017, 2011, 2003, 1999, 1997, 1993, 1987),
)
"""Sizes of free axes; far enough apart that no usual chain of strides comes to one size from two of them."""
_TOLD = 64
"""Numbers of a constant up to which it may say a shape."""
_OPSETS = [helper.make_opsetid("", OPSET)]


@dataclass(frozen=True)
class Fact:
    """A tensor at one choice of free sizes; its numbers where they are few and known."""

    kind: int
    shape: tuple[int, ...]
    value: Array | None = None


@dataclass
class Facts:
    """What is known of the tensors of a graph that is being written."""

    write: Writer
    _known: dict[str, tuple[Fact, ...]] = field(default_factory=dict)
    _seen: list[int] = field(default_factory=lambda: [0, 0])
    _free: dict[str, int] = field(default_factory=dict)

    def given(self, one: Input) -> Tensor:
        """An input; free first axes are one size."""
        names = ["batch" if axis == 0 else f"{one.name} {axis}" for axis in range(len(one.shape))]
        for name, size in zip(names, one.shape, strict=True):
            if size is None:
                self._free.setdefault(name, len(self._free) % len(_PRIMES[0]))
        shapes = [
            tuple(
                primes[self._free[name]] if size is None else size for name, size in zip(names, one.shape, strict=True)
            )
            for primes in _PRIMES
        ]
        fixed = Fact(one.kind, shapes[0])
        self._known[one.name] = tuple(fixed if shape == shapes[0] else Fact(one.kind, shape) for shape in shapes)
        return self.tensor(one.name)

    def tensor(self, name: str) -> Tensor:
        """A tensor with its sizes, None where these depend on free ones. Raises Refused where they cannot be told."""
        self._catch_up()
        if name not in self._known:
            raise Refused(f"the sizes of {name} cannot be told")
        facts = self._known[name]
        sizes = zip(*(fact.shape for fact in facts), strict=True)
        return Tensor(name, tuple(each[0] if len(set(each)) == 1 else None for each in sizes), facts[0].kind)

    def value(self, name: str) -> Array | None:
        """The numbers of a tensor that are known and do not depend on free sizes."""
        self._catch_up()
        values = [fact.value for fact in self._known.get(name, ())]
        first = values[0] if values else None
        same = first is not None and all(one is not None and np.array_equal(first, one) for one in values)
        return first if same else None

    def _catch_up(self) -> None:
        constants, nodes = self.write.constants, self.write.nodes
        for one in constants[self._seen[0] :]:
            array = numpy_helper.to_array(one) if np.prod(one.dims, dtype=np.int64) <= _TOLD else None
            self._known[one.name] = (Fact(one.data_type, tuple(one.dims), array),) * len(_PRIMES)
        for node in nodes[self._seen[1] :]:
            self._node(node)
        self._seen = [len(constants), len(nodes)]

    def _node(self, node: onnx.NodeProto) -> None:
        reads = [name for name in node.input if name]
        if any(name not in self._known for name in reads):
            return
        made: list[dict[str, Fact]] = []
        for place in range(len(_PRIMES)):
            if place and all(self._known[name][place] is self._known[name][0] for name in reads):
                made.append(made[0])  # nothing that it reads depends on a free size
            else:
                made.append(self._made(node, {name: self._known[name][place] for name in reads}))
        for name in node.output:
            if name and all(name in one for one in made):
                self._known[name] = tuple(one[name] for one in made)

    def _made(self, node: onnx.NodeProto, reads: dict[str, Fact]) -> dict[str, Fact]:
        """What a node makes at one choice of sizes."""
        if node.op_type == "Shape":
            ends = {a.name: a.i for a in node.attribute}
            shape = reads[node.input[0]].shape[ends.get("start", 0) : ends.get("end")]
            return {node.output[0]: Fact(onnx.TensorProto.INT64, (len(shape),), np.asarray(shape, np.int64))}
        if reads and all(fact.value is not None and fact.kind == onnx.TensorProto.INT64 for fact in reads.values()):
            results = ReferenceEvaluator(node, opsets={"": OPSET}).run(
                None, {name: fact.value for name, fact in reads.items()}
            )
            return {
                name: Fact(
                    helper.np_dtype_to_tensor_dtype(array.dtype), array.shape, array if array.size <= _TOLD else None
                )
                for name, array in zip(node.output, map(np.asarray, results), strict=True)
            }
        types = {name: helper.make_tensor_type_proto(fact.kind, fact.shape) for name, fact in reads.items()}
        data = {
            name: numpy_helper.from_array(fact.value, name) for name, fact in reads.items() if fact.value is not None
        }
        try:
            schema = defs.get_schema(node.op_type, OPSET, "")
            made = shape_inference.infer_node_outputs(schema, node, types, data, opset_imports=_OPSETS)
        except (shape_inference.InferenceError, onnx.checker.ValidationError, defs.SchemaError) as error:
            raise Refused(f"{node.op_type}: sizes that do not fit: {str(error).splitlines()[0][:120]}") from error
        found = {}
        for name, kind in made.items():
            dims = kind.tensor_type.shape.dim
            if kind.tensor_type.HasField("shape") and all(d.HasField("dim_value") for d in dims):
                found[name] = Fact(kind.tensor_type.elem_type, tuple(d.dim_value for d in dims))
        return found
