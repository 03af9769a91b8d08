"""One node while its graph is read: its operands as values or constants, its attributes, and the shapes of its outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import onnx

from safeconvert.prove.search.terms import Array, TermStore
from safeconvert.prove.search.values import Value, constant

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Step:
    """A node and what it reads.

    Attributes:
        store: of the proof.
        node: the node.
        attributes: all that change the result, defaults written out.
        operands: for each input its value, or its constant, or None where it is left out or nothing is known of it.
        shapes: of the outputs; None where inference does not tell.
        floating: whether the first output is known to hold floating-point numbers: identities of division hold for no others.
        opset: of the graph.
    """

    store: TermStore
    node: onnx.NodeProto
    attributes: Mapping[str, Any]
    operands: tuple[Value | Array | None, ...]
    shapes: tuple[Shape | None, ...]
    floating: bool
    opset: int

    def value(self, number: int) -> Value | None:
        """An operand that depends on the graph's inputs; None for a constant or nothing."""
        found = self.operands[number] if number < len(self.operands) else None
        return found if isinstance(found, Value) else None

    def constant(self, number: int) -> Array | None:
        """An operand that is a constant."""
        found = self.operands[number] if number < len(self.operands) else None
        return None if found is None or isinstance(found, Value) else found

    def as_value(self, number: int) -> Value | None:
        """An operand, a constant as a value."""
        found = self.operands[number] if number < len(self.operands) else None
        return found if found is None or isinstance(found, Value) else constant(self.store, found)

    @property
    def shape(self) -> Shape | None:
        """Of the first output."""
        return self.shapes[0]


Axiom = Callable[[Step], list[Value] | None]
