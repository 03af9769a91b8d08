"""What a repair changes in a graph where it leaves the nodes as they are: constants and attributes. Written by the engine.

The adapters of the frameworks read it in their `patch`, and carry it into the native model.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class AttributeChange:
    """A node's attribute gets another value.

    Attributes:
        operator: of the node.
        name: of the attribute; bounds of a Clip are `min` and `max`, whether they are inputs or attributes.
        old, new: values in ONNX's terms, defaults written out; `new` is None where the attribute falls back to its default.
        position, of: the node is number `position` of the `of` nodes with this operator and this old value, in their order.
        weights: constants of two dimensions and more that the node reads; they tell it apart.
    """

    operator: str
    name: str
    old: Any
    new: Any
    position: int
    of: int
    weights: tuple[Array, ...] = ()


@dataclass(frozen=True)
class Changes:
    """All of them.

    Attributes:
        constants: old and new value of each constant.
        attributes: the attributes.
    """

    constants: tuple[tuple[Array, Array], ...] = ()
    attributes: tuple[AttributeChange, ...] = ()

    def save(self, path: Path) -> None:
        """Write an `.npz` without pickles."""
        arrays: dict[str, Array] = {}
        for number, (old, new) in enumerate(self.constants):
            arrays[f"old_{number}"], arrays[f"new_{number}"] = old, new
        written = []
        for number, change in enumerate(self.attributes):
            for position, weight in enumerate(change.weights):
                arrays[f"weight_{number}_{position}"] = weight
            written.append([change.operator, change.name, change.old, change.new, change.position, change.of])
        np.savez(path, allow_pickle=False, written=np.array(json.dumps(written)), **arrays)

    @classmethod
    def load(cls, path: str | Path) -> Changes:
        """The inverse of `save`."""
        with np.load(path, allow_pickle=False) as archive:
            names = archive.files
            count = sum(name.startswith("old_") for name in names)
            constants = tuple((archive[f"old_{number}"], archive[f"new_{number}"]) for number in range(count))
            attributes = []
            for number, (operator, name, old, new, position, of) in enumerate(json.loads(str(archive["written"]))):
                weights = sorted(entry for entry in names if entry.startswith(f"weight_{number}_"))
                attributes.append(
                    AttributeChange(operator, name, old, new, position, of, tuple(archive[entry] for entry in weights))
                )
        return cls(constants, tuple(attributes))
