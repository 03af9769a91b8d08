"""An operator that keeps a graph from being converted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Obstacle:
    """An operator at a node.

    Attributes:
        operator: with its domain where that is not ONNX' own: `com.example::Frobnicate`.
        node: the node's name; that of its first output where it has none.
        cut: of an operator whose output's size depends on the data, the tensors in front of it, where the graph can be cut; "" of
            any other.
    """

    operator: str
    node: str
    cut: str = ""

    def to_json(self) -> dict[str, str]:
        """As `from_json` reads it."""
        return {"operator": self.operator, "node": self.node, "cut": self.cut}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Obstacle:
        """What `to_json` wrote."""
        return Obstacle(str(data["operator"]), str(data["node"]), str(data.get("cut", "")))
