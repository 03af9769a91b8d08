"""Graphs of nodes that call functions, read from what is wanted backwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.tf.checkpoint import KINDS
from safeconvert.prove.readers.tf.loops import Known, Value, listed, repeated
from safeconvert.prove.readers.tf.node import Node, Resource, Tensor
from safeconvert.prove.readers.tf.table import OPERATORS
from safeconvert.prove.readers.tf.wire import Message
from safeconvert.prove.readers.writer import Writer

_LOOPS = {"While", "StatelessWhile"}
_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}
_FIRST = {"FusedBatchNormV3": {"y"}}
"""By operator with outputs of several names, those that are counted from 0."""
_DEEP = 64
_MANY = 200_000


@dataclass
class Library:
    """What all graphs of a file share: the writer, what is known of its tensors, functions by name, and the checkpoint's tensors."""

    write: Writer
    numbers: Known
    functions: Mapping[str, Message]
    tensors: Mapping[str, Array]
    count: int = 0


@dataclass
class Scope:
    """A graph or a function's body in the reading.

    Attributes:
        library: shared.
        nodes: by name.
        known: what arguments are, by name, and what nodes that were read make.
        depth: of calls.
    """

    library: Library
    nodes: Mapping[str, Message]
    known: dict[str, Sequence[Value]] = field(default_factory=dict)
    depth: int = 0

    def value(self, reference: str) -> Value:
        """What `node`, `node:2`, or within a function `node:output:2` is. Nodes are read on the way, however many."""
        name, *rest = reference.split(":")
        place = int(rest[-1]) if rest else 0
        waiting = [name]
        while waiting:
            if waiting[-1] in self.known:
                waiting.pop()
                continue
            node = self.nodes[waiting[-1]]
            lacking = [one for one in self._reads(node) if one not in self.known]
            if lacking:
                waiting += lacking
                if len(waiting) > _MANY:
                    raise Refused("a graph that goes in circles")
                continue
            self.known[waiting.pop()] = self._made(node)
        if len(rest) > 1 and rest[0] not in _FIRST.get(self.nodes[name].text(2), {rest[0]}):
            raise Refused(f"{self.nodes[name].text(2)}: its output {rest[0]}")
        return self.known[name][place]

    def _reads(self, node: Message) -> list[str]:
        return [one.split(":")[0] for one in node.texts(3) if not one.startswith("^")]

    def _made(self, node: Message) -> Sequence[Value]:
        operator, attributes = node.text(2), node.mapped(5)
        inputs = [self.value(one) for one in node.texts(3) if not one.startswith("^")]
        self.library.count += 1
        if self.library.count > _MANY:
            raise Refused("a graph of too many nodes")
        if operator == "Const":
            return [self.constant(array_of(attributes["value"].message(8)))]
        if operator in _CALLS:
            return self._called(attributes["f"].message(10).text(1), inputs)
        if operator in _LOOPS:
            goes_on, step = (attributes[name].message(10).text(1) for name in ("cond", "body"))
            return repeated(self.library.numbers, inputs, partial(self._called, goes_on), partial(self._called, step))
        if operator.startswith("TensorList"):
            return listed(self.library.numbers, operator, inputs)
        if operator == "Identity" and not isinstance(inputs[0], Tensor):
            return inputs
        if operator == "ReadVariableOp" and isinstance(inputs[0], Resource):
            if inputs[0].key not in self.library.tensors:
                raise Refused(f"the variable {inputs[0].key} is in no checkpoint")
            return [self.constant(self.library.tensors[inputs[0].key])]
        tensors = tuple(one for one in inputs if isinstance(one, Tensor))
        if operator not in OPERATORS or len(tensors) != len(inputs):
            raise Refused(f"the operator {operator}")
        return OPERATORS[operator](Node(self.library.write, operator, attributes, tensors))

    def constant(self, array: Array) -> Tensor:
        """A constant as a tensor."""
        return Tensor(self.library.write.constant(array), array)

    def _called(self, name: str, inputs: Sequence[Value]) -> list[Value]:
        """What a function returns. Raises Refused for one that writes variables, or calls too deep."""
        body = self.library.functions[name]
        signature = body.message(1)
        nodes = {node.text(1): node for node in body.messages(3)}
        if self.depth > _DEEP or any(node.text(2).startswith("Assign") for node in nodes.values()):
            raise Refused(f"the function {name} writes variables, or calls too deep")
        arguments = [argument.text(1) for argument in signature.messages(2)]
        scope = Scope(self.library, nodes, {a: [v] for a, v in zip(arguments, inputs, strict=True)}, self.depth + 1)
        results = {entry.text(1): entry.text(2) for entry in body.messages(4)}
        return [scope.value(results[output.text(1)]) for output in signature.messages(3)]


def array_of(tensor: Message) -> Array:
    """The numbers of a tensor: their bytes, or a list whose last one is repeated. Raises Refused for other types."""
    kind = KINDS.get(tensor.integer(1))
    if kind is None:
        raise Refused(f"a constant of TensorFlow's type {tensor.integer(1)}")
    shape = [dim.integer(1) for dim in tensor.message(2).messages(2)]
    held = tensor.bytes(4)
    if held:
        return np.frombuffer(held, kind).reshape(shape)
    fields = {
        np.float32: tensor.reals(5),
        np.int32: tensor.integers(7),
        np.int64: tensor.integers(10),
        np.bool_: tensor.integers(11),
    }
    numbers: Array = np.asarray(fields.get(kind, []), kind)
    count = int(np.prod(shape, dtype=np.int64))
    if kind not in fields or len(numbers) > count or (not len(numbers) and count > 10**8):
        raise Refused("a constant that is held otherwise")
    filled = np.concatenate([numbers, np.full(count - len(numbers), numbers[-1] if len(numbers) else 0, kind)])
    return filled.reshape(shape)
