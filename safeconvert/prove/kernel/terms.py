"""What tensors are, as terms: an operator on other terms, with constants. Equal definitions are one term.

Axes are canonical: those of length 1 are left out, and each tensor says how it holds the others (`layout`). Constants of affine arithmetic
are equal within `NEAR` of the magnitude of what they were summed from, which is what folding in float32 leaves of them; all others are equal
bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
NEAR = 2.0**-19
"""Relative; 32 roundings of float32. Folding a BatchNormalization takes four, and a chain of folded factors adds up."""
_SUBNORMAL = 2.0**-146
"""Absolute; eight of the smallest numbers of float32, where roundings are no longer relative."""


class Refused(Exception):
    """What does not hold, in one line."""


@dataclass(frozen=True)
class Constant:
    """Numbers of a term; `size` holds, but for signs, the magnitude by which their rounding is measured, None compares them bit by bit."""

    values: Array
    size: Array | None = None


@dataclass(frozen=True, eq=False)
class Term:
    """A definition; made by a `Store` only. `shape` holds the sizes of the canonical axes, none of them 1."""

    number: int
    operator: str
    setting: tuple[Any, ...]
    operands: tuple[Term, ...]
    constants: tuple[Constant, ...]
    shape: tuple[int, ...]


@dataclass
class Store:
    """The terms of one step.

    Attributes:
        allowed: axioms that may be used; None for all.
        used: those that were.
        apart: the largest relative difference of constants that were taken for equal.
        memo: what axioms have made of terms of this store.
    """

    allowed: frozenset[str] | None = None
    used: set[str] = field(default_factory=set)
    apart: float = 0.0
    memo: dict[Any, Any] = field(default_factory=dict)
    _known: dict[tuple[Any, ...], list[Term]] = field(default_factory=dict)
    _count: int = 0

    def use(self, axiom: str) -> None:
        """Note an axiom. Raises Refused where the step does not name it."""
        if self.allowed is not None and axiom not in self.allowed:
            raise Refused(f"needs the axiom {axiom!r}, which the step does not name")
        self.used.add(axiom)

    def holds(self, condition: str, truth: bool) -> bool:
        """Whether a side condition of an axiom holds; by name, so that tests can waive one and see that it was needed."""
        return truth

    def term(
        self, operator: str, shape: Sequence[int], operands: Sequence[Term] = (), setting: tuple[Any, ...] = (), constants: Sequence[Constant] = (),
    ) -> Term:  # fmt: skip
        """The term of a definition: the one that is known, or a new one."""
        forms = (one.size is not one.values or one.values.shape for one in constants)  # others are broadcast
        key = (operator, setting, *(operand.number for operand in operands), tuple(shape), *forms)
        for known in self._known.setdefault(key, []):
            apart = [_apart(*pair) for pair in zip(known.constants, constants, strict=True)]
            if all(one <= NEAR for one in apart):
                self.apart = max([self.apart, *apart])
                return known
        made = Term(self._count, operator, setting, tuple(operands), tuple(constants), tuple(shape))
        self._count += 1
        self._known[key].append(made)
        return made


def near(values: Array) -> Constant:
    """A constant whose numbers may have been rounded, each by its own magnitude. Raises Refused where one is not finite."""
    if not np.isfinite(values).all():
        raise Refused("a constant is not finite")
    return Constant(values, values)


def _apart(known: Constant, other: Constant) -> float:
    """How far two constants are apart, relatively; infinity, or no number, where they are not equal."""
    if known.size is None or other.size is None:
        forms = [(one.dtype, one.shape, one.tobytes()) for one in (known.values, other.values)]
        return 0.0 if forms[0] == forms[1] else float("inf")
    try:
        blocks = np.nditer([known.values, other.values, known.size], ["external_loop", "buffered", "zerosize_ok"])
    except ValueError:
        return float("inf")
    worst = 0.0
    for one, two, size in blocks:
        distance = np.where(one == two, 0.0, np.abs(one - two) - _SUBNORMAL)
        if not (worst := float(np.where(distance <= 0, 0.0, distance / np.abs(size)).max(initial=worst))) <= NEAR:
            return float("inf")
    return worst
