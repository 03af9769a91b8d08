"""Where a part is cut out of a model, and what is left out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

_SHOWN = 3


@dataclass(frozen=True)
class Cut:
    """Where a part of a model begins and ends, by the names of its nodes, layers or tensors.

    A node or layer is in the part at either end; a tensor is where the cut is.

    Attributes:
        begin: what it begins with; () leaves the model's own inputs.
        end: what it ends with; () leaves the model's own outputs.
    """

    begin: tuple[str, ...] = ()
    end: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is cut off."""
        return bool(self.begin or self.end)

    @property
    def flags(self) -> str:
        """As on the command line."""
        return " ".join([*(f"--from {name}" for name in self.begin), *(f"--to-node {name}" for name in self.end)])

    @property
    def described(self) -> str:
        """In words: `the part from embedding to scores`."""
        ends = [f"{word} {', '.join(names)}" for word, names in (("from", self.begin), ("to", self.end)) if names]
        return f"the part {' '.join(ends)}"


@dataclass(frozen=True)
class Remainder:
    """What of a model is not in a part of it: what its host has to compute.

    Attributes:
        before: nodes or layers in front of the part, in order, each with its kind: `lookup (IntegerLookup)`.
        behind: those behind it.
        inputs: what the part takes that is no input of the model: its tensors, by the names that they have in the part.
    """

    before: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()

    def obligations(self, cut: Cut) -> tuple[str, ...]:
        """What is left to the host, one line an end."""
        lines = []
        if cut.begin:
            what = f": {_listed(self.before)}" if self.before else ""
            lines.append(
                f"{cut.described}: what lies before {', '.join(cut.begin)} is host code{what}; feed {', '.join(self.inputs)} what it gives"
            )
        if cut.end:
            what = f": {_listed(self.behind)}" if self.behind else ""
            lines.append(f"{cut.described}: what lies behind {', '.join(cut.end)} is host code{what}")
        return tuple(lines)

    def to_json(self) -> dict[str, Any]:
        """As `from_json` reads it."""
        return {name: list(value) for name, value in asdict(self).items()}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Remainder:
        """What `to_json` wrote."""
        return Remainder(*(tuple(map(str, data[name])) for name in ("before", "behind", "inputs")))


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
