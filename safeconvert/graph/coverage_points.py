"""What of a graph inputs can exercise: sides of activations and comparisons, rows of tables, signs, saturation, ties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
STRETCHES = 16
"""Into how many stretches of rows a table is divided at most."""


@dataclass(frozen=True)
class Point:
    """One place of a graph.

    Attributes:
        kind: `sides` (of bounds), `truth`, `rows`, `calm` or `shares` (not saturated everywhere), or `tie`.
        label: the node, for a person.
        outputs: what the instrumented graph gives out for it: the least and the largest value, or the index; of a comparison of numbers
            also the least and the largest difference of its operands.
        low, high: bounds of `sides`; None where there is none. Of `calm` and `shares`, what the value must be below, and of `tie`
            what the best score comes to: `low`.
        rows: of the table.
        tensor: of the graph, whose bounds say what can be exercised at all.
    """

    kind: str
    label: str
    outputs: tuple[str, ...]
    low: float | None = None
    high: float | None = None
    rows: int = 0
    tensor: str = ""

    def items(self) -> tuple[str, ...]:
        """What can be exercised here, in words; each counts as one."""
        if self.kind == "truth":
            return (f"{self.label} true", f"{self.label} false")
        if self.kind in ("calm", "shares"):
            return (f"{self.label} not saturated",)
        if self.kind == "tie":
            return (f"{self.label} tied",)
        if self.kind == "rows":
            edges = self.edges()
            return tuple(f"rows {a} to {b - 1} of {self.label}" for a, b in pairwise(edges))
        sides = [f"{self.label} below {self.low:g}"] if self.low is not None else []
        return (*sides, f"{self.label} above {self.high:g}") if self.high is not None else tuple(sides)

    def exercised(self, values: Mapping[str, Array]) -> set[str]:
        """Those of the items that one run exercised."""
        items = self.items()
        given = [values[name] for name in self.outputs]
        if self.kind == "rows":
            index = np.asarray(given[0]).ravel().astype(np.int64)
            index = np.where(index < 0, index + self.rows, index)
            hit = np.unique(np.searchsorted(self.edges(), index[(index >= 0) & (index < self.rows)], side="right") - 1)
            return {items[position] for position in hit}
        return {item for item, margin in self.margins(values).items() if margin < 0}

    def margins(self, values: Mapping[str, Array]) -> dict[str, float]:
        """How far a run is from exercising each item, negative where it does; of the rows of a table nothing."""
        items = self.items()
        given = [float(np.asarray(values[name]).ravel()[0]) for name in self.outputs if self.kind != "rows"]
        if not given:
            return {}
        if self.kind == "tie":
            apart = given[0] if self.low is None else min(abs(best - self.low) for best in given[1:])
            return {items[0]: -1.0 if given[0] == 0 else apart}
        if self.kind in ("calm", "shares"):
            over = given[0] - float(self.low or 0)
            return {items[0]: over + sum(given[1:]) if over >= 0 else over}
        least, most = given[:2]
        if self.kind == "truth":
            return dict(zip(items, self._undecided(least, most, given[2:]), strict=True))
        below = {items[0]: least - self.low} if self.low is not None else {}
        return below | ({items[-1]: self.high - most} if self.high is not None else {})

    def _undecided(self, least: float, most: float, apart: list[float]) -> tuple[float, float]:
        """How far a comparison is from being true somewhere, and from being false somewhere."""
        kind, (low, high) = self.label.split()[0], apart if apart else (0.0, 0.0)
        if not apart:
            true, false = 1.0, 1.0
        elif kind == "Equal":
            true, false = max(low, -high, 0.0), 1.0
        else:
            true, false = (-high, low) if kind.startswith("Greater") else (low, -high)
        return (-1.0 if most == 1 else abs(true)), (-1.0 if least == 0 else abs(false))

    def edges(self) -> list[int]:
        """Where the stretches of a table begin, and where the last one ends."""
        return [round(edge) for edge in np.linspace(0, self.rows, min(self.rows, STRETCHES) + 1)]
