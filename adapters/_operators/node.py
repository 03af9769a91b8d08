"""One ONNX node as the operator modules see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .sizes import is_sizes, settled


@dataclass(frozen=True)
class Node:
    """A node with its values.

    A value is a numpy array (known while converting), an array of dtype object (sizes, see `sizes`), a list (a sequence), or
    a tensor of the back end; None stands for an input that is left out.

    Attributes:
        backend: offers the primitives, see `backend.Backend`.
        operator, name: of the node.
        opset: version of the operator set it belongs to.
        attributes: by name, as Python values.
        inputs: values.
        outputs: names of its outputs; "" for one that nothing reads.
        declared: shapes of its outputs, as far as the graph declares them or they follow; None where it does not.
        told: what a parameter was settled by, by the parameter; see `tell`.
    """

    backend: Any
    operator: str
    name: str
    opset: int
    attributes: Mapping[str, Any]
    inputs: Sequence[Any]
    outputs: Sequence[str]
    declared: Sequence[tuple[int, ...] | None] = ()
    told: dict[str, str] = field(default_factory=dict)

    def declared_shape(self, position: int = 0) -> tuple[int, ...] | None:
        """The shape that the graph declares for an output; None where it declares none, or a free size."""
        return self.declared[position] if position < len(self.declared) else None

    def tell(self, parameter: str, why: str) -> None:
        """Remember that a parameter, an input of the model, is taken to be one with which something holds."""
        self.told[parameter] = why

    def attribute(self, name: str, default: Any = None) -> Any:
        """An attribute's value."""
        return self.attributes.get(name, default)

    def given(self, position: int) -> Any:
        """The value of an input, or None where it is left out."""
        return self.inputs[position] if position < len(self.inputs) else None

    def refuse(self, why: str) -> NotImplementedError:
        """The error that says what cannot be expressed, and where."""
        return NotImplementedError(f"operator {self.operator} at node {self.name}: {why}")

    def known(self, position: int, what: str) -> np.ndarray | None:
        """An input that must be known while converting; None where it is left out.

        Raises:
            NotImplementedError: it depends on the model's inputs.
        """
        value = self.given(position)
        if value is not None and (not isinstance(value, np.ndarray) or is_sizes(value)):
            raise self.refuse(f"{what} depends on the model's inputs")
        return value

    def sizes(self, position: int, what: str) -> list[Any]:
        """An input of sizes, some of which may be free.

        Raises:
            NotImplementedError: it is computed from more than shapes.
        """
        value = self.given(position)
        if not isinstance(value, np.ndarray):
            raise self.refuse(f"{what} depends on the model's inputs")
        return list(settled(value).reshape(-1).tolist())

    def axes(self, rank: int, position: int = 1) -> list[int] | None:
        """Axes, given as an attribute by older operator sets and as an input by later ones; none is None."""
        axes = self.attribute("axes")
        if axes is None:
            value = self.known(position, "the list of axes")
            axes = None if value is None else value.reshape(-1).tolist()
        return None if axes is None else [int(axis) % max(rank, 1) for axis in axes]

    def axis(self, rank: int, default: int = 0) -> int:
        """The attribute `axis`, counted from the front."""
        return int(self.attribute("axis", default)) % max(rank, 1)
