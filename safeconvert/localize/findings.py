"""What localization reports besides faults, with its JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LayerScore:
    """One core layer, as the published layer analysis scores it.

    Attributes:
        source: node of the source.
        target: node of the target.
        elements: of its output.
        problematic: mean number of problematic elements over the samples.
        rate: problematic / elements.
    """

    source: str
    target: str
    elements: int
    problematic: float
    rate: float

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {
            "source": self.source,
            "target": self.target,
            "elements": self.elements,
            "problematic": self.problematic,
            "rate": self.rate,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> LayerScore:
        """The inverse of `to_json`."""
        return LayerScore(**data)


@dataclass(frozen=True)
class Reexpression:
    """Operators in front of one cut point, up to the cut points before it, that differ although the values do not.

    Attributes:
        source: the source's operators, in the order of the graph.
        target: the target's.
        at: the target's tensor behind them.
    """

    source: tuple[str, ...]
    target: tuple[str, ...]
    at: str

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {"source": list(self.source), "target": list(self.target), "at": self.at}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Reexpression:
        """The inverse of `to_json`."""
        return Reexpression(tuple(data["source"]), tuple(data["target"]), data["at"])
