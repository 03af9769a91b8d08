"""Terms: what a tensor is, said once for both graphs of a proof.

A term is an operator on other terms, with constants; its axes are *canonical*, and those of length 1 are left out. Two tensors
with one term carry the same numbers, in orders of axes that their values (`values.Value`) say. The store gives an equal term
back instead of a second one, so that equality is identity.

Constants of linear arithmetic may differ by the rounding of a converter that folded them in float32 (`Near`); the store remembers
the largest difference that it let pass. All others are compared bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
NEAR = 2.0**-19
"""Relative; 32 roundings of float32. Folding a BatchNorm takes four, and a chain of folded factors adds up."""
_VANISHING = 2.0**-60
"""Of the largest magnitude; what is smaller is lost beside it in float32 and in float64."""


class Near(StrEnum):
    """How far constants may be apart for two terms to be one."""

    NOT = "equal bit by bit"
    EACH = "each number within the rounding of products"
    SUM = "within the rounding of sums, of the largest"


@dataclass(frozen=True)
class Term:
    """One definition. Made by a `TermStore` only.

    Attributes:
        number: its place in the store.
        operator: name of the primitive.
        setting: what else defines it: attributes, axes, layouts of operands.
        operands: numbers of the terms that it reads.
        constants: arrays.
        near: how its constants are compared.
        shape: sizes of its canonical axes, none of them 1.
    """

    number: int
    operator: str
    setting: tuple[Any, ...]
    operands: tuple[int, ...]
    constants: tuple[Array, ...]
    near: Near
    shape: tuple[int, ...]


@dataclass
class TermStore:
    """All terms of one proof, by definition.

    Attributes:
        terms: in the order in which they were first met.
        apart: the largest relative difference of constants that were taken for equal.
    """

    terms: list[Term] = field(default_factory=list)
    apart: float = 0.0
    _known: dict[tuple[Any, ...], list[int]] = field(default_factory=dict)

    def term(
        self,
        operator: str,
        shape: Sequence[int],
        operands: Sequence[int] = (),
        setting: tuple[Any, ...] = (),
        constants: Sequence[Array] = (),
        near: Near = Near.NOT,
    ) -> Term:
        """The term of a definition: the one that is known, or a new one."""
        key = (operator, setting, tuple(operands), tuple(c.shape for c in constants), near, tuple(shape))
        for number in self._known.setdefault(key, []):
            known = self.terms[number]
            apart = max((_apart(a, b, near) for a, b in zip(known.constants, constants, strict=True)), default=0.0)
            if apart <= NEAR:
                self.apart = max(self.apart, apart)
                return known
        made = Term(len(self.terms), operator, setting, tuple(operands), tuple(constants), near, tuple(shape))
        self.terms.append(made)
        self._known[key].append(made.number)
        return made

    def unknown(self, shape: Sequence[int], why: str) -> Term:
        """A term that equals no other: of an operator about which nothing is known."""
        made = Term(len(self.terms), "unknown", (why,), (), (), Near.NOT, tuple(shape))
        self.terms.append(made)
        return made


def _apart(one: Array, two: Array, near: Near) -> float:
    """How far two constants are apart, relatively; inf where they must not differ, or do by more than rounding could."""
    if one.dtype == two.dtype and one.tobytes() == two.tobytes():
        return 0.0
    if near is Near.NOT or one.shape != two.shape:
        return float("inf")
    a, b = one.astype(np.float64), two.astype(np.float64)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return 0.0 if np.array_equal(a, b) else float("inf")
    largest = np.abs(a).max(initial=0.0)
    distance = np.abs(a - b)
    scale = (
        np.broadcast_to(largest, a.shape) if near is Near.SUM else np.maximum(np.abs(a), _VANISHING / NEAR * largest)
    )
    differs = distance > 0
    with np.errstate(divide="ignore"):
        return float(np.max(distance[differs] / scale[differs], initial=0.0))
