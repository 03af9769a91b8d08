"""What every axiom has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused, Store

Rule = Callable[[Node], list[Value]]
"""Values of all outputs of a node. Raises Refused where the axiom does not hold for it."""


@dataclass(frozen=True)
class Axiom:
    """One identity.

    Attributes:
        name: as proofs name it.
        statement: the identity, over the reals.
        conditions: what it asks for beyond the operators' own shapes; each is tested to be needed.
        operators: ONNX operators that are read by it first.
    """

    name: str
    statement: str
    conditions: tuple[str, ...] = ()
    operators: Mapping[str, Rule] = field(default_factory=dict)

    def use(self, store: Store) -> None:
        """Note that a step uses it. Raises Refused where the step does not name it."""
        store.use(self.name)

    def holds(self, store: Store, condition: str, truth: bool) -> bool:
        """Whether one of its side conditions holds."""
        return store.holds(f"{self.name}: {condition}", truth)

    def require(self, store: Store, condition: str, truth: bool) -> None:
        """One of its side conditions. Raises Refused where it does not hold."""
        if not self.holds(store, condition, truth):
            raise Refused(f"{self.name}: not so: {condition}")
