"""What can be done about an operator that loses too much in eight bits, cheapest first; and what is done about each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Means(StrEnum):
    """Means by their cost in bytes and time, the cheapest first.

    `RANGE`: its result's range is the one of least squared error, rarest values saturated; it costs nothing. `DYNAMIC`: weights in eight bits,
    activations quantised while it runs, floats as results. `WEIGHTS`: weights in eight bits, computed in float32. `SIXTEEN`: 16-bit activations, integers still: two bytes for each activation,
    and on phones kernels without a delegate. `HALF`: weights as halves, computed in float32. `FLOAT`: four bytes for each weight.
    """

    RANGE = "range of least error"
    DYNAMIC = "weights in eight bits, results in float32"
    WEIGHTS = "weights in eight bits, computed in float32"
    SIXTEEN = "16-bit activations"
    HALF = "weights in 16 bits, computed in float32"
    FLOAT = "float32"

    @property
    def by_recipe(self) -> bool:
        """Whether it takes ai-edge-quantizer to write it."""
        return self not in (Means.RANGE, Means.FLOAT)

    @property
    def rounds_weights(self) -> bool:
        """Whether weights stay in eight bits, so that a bias corrected for their rounding is right."""
        return self not in (Means.HALF, Means.FLOAT)

    @property
    def integers(self) -> bool:
        """Whether hardware that knows integers only can compute it."""
        return self in (Means.RANGE, Means.SIXTEEN)


_SHOWN = 4  # operators of one means in words


@dataclass(frozen=True)
class Plan:
    """What is done about each operator; nothing about those that are not listed.

    Attributes:
        entries: place of an operator and what is done about it, in the order of the places.
    """

    entries: tuple[tuple[int, Means], ...] = ()

    @staticmethod
    def of(indices: Iterable[int], means: Means) -> Plan:
        """The same for several."""
        return Plan(tuple((index, means) for index in sorted(indices)))

    @property
    def indices(self) -> list[int]:
        """Operators that something is done about."""
        return [index for index, _ in self.entries]

    def by(self, means: Means) -> list[int]:
        """Those that this is done about."""
        return [index for index, one in self.entries if one is means]

    def without(self, index: int) -> Plan:
        """Nothing done about one of them."""
        return Plan(tuple(entry for entry in self.entries if entry[0] != index))

    def having(self, index: int, means: Means) -> Plan:
        """Another thing done about one of them."""
        return Plan(tuple(sorted([*self.without(index).entries, (index, means)])))

    def described(self, names: Sequence[str]) -> str:
        """In words, by the operators' names; "" where nothing is done."""
        return "; ".join(f"{means}: {_listed([names[i] for i in self.by(means)])}" for means in Means if self.by(means))


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


NOTHING = Plan()
"""Nothing is done about any operator."""
