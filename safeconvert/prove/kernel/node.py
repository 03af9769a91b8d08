"""One node as an axiom sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.terms import Array, Refused, Store

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """A node and what it reads.

    Attributes:
        store: of the step.
        operator: its domain, its name, and the version in which it was last changed.
        attributes: all, defaults written out; lists as tuples.
        operands: a value, a constant, or None where the input is left out.
        shapes: of the outputs; None for one that is left out.
        floating: whether the first output holds floating-point numbers; identities over the reals hold for no others.
    """

    store: Store
    operator: tuple[str, str, int]
    attributes: Mapping[str, Any]
    operands: tuple[Value | Array | None, ...]
    shapes: tuple[Shape | None, ...]
    floating: bool

    def value(self, index: int = 0) -> Value:
        """An operand that depends on the inputs. Raises Refused for any other."""
        found = self.operands[index] if index < len(self.operands) else None
        if not isinstance(found, Value):
            raise Refused(f"{self.operator[1]}: its input {index} is constant or left out")
        return found

    def constant(self, index: int) -> Array | None:
        """An operand that is constant, or None where it is left out. Raises Refused for a value."""
        found = self.operands[index] if index < len(self.operands) else None
        if isinstance(found, Value):
            raise Refused(f"{self.operator[1]}: its input {index} is computed")
        return found

    def real(self, index: int) -> Array:
        """A constant of floating-point numbers, in float64. Raises Refused for any other operand."""
        found = self.constant(index)
        if found is None or found.dtype.kind != "f":
            raise Refused(f"{self.operator[1]}: its input {index} is no constant of floating-point numbers")
        return found.astype(np.float64)

    @property
    def shape(self) -> Shape:
        """Of the first output. Raises Refused where it is left out."""
        if self.shapes[0] is None:
            raise Refused(f"{self.operator[1]}: its first output is left out")
        return self.shapes[0]
