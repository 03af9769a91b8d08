"""What localization reports besides faults, with its JSON form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safeconvert.core.faults import finite


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


@dataclass(frozen=True)
class ExportFault:
    """A place where an ONNX form leaves its native model although what goes in there is right.

    Attributes:
        layer: native name of the layer.
        operator: what the layer is.
        nodes: the ONNX nodes that stand for it, `NAME (OPERATOR)`.
        isolated: error behind it, with the native values going in, relative to the largest magnitude there.
        layers: the layers between the last right tensors and this one, itself included, where there are more.
        replaced: the exporter whose nodes are right there and were put in their place; "" where there is none.
    """

    layer: str
    operator: str
    nodes: tuple[str, ...]
    isolated: float
    layers: tuple[str, ...] = ()
    replaced: str = ""

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {
            "layer": self.layer, "operator": self.operator, "nodes": list(self.nodes), "isolated": finite(self.isolated),
            "layers": list(self.layers), "replaced": self.replaced,
        }  # fmt: skip

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> ExportFault:
        """The inverse of `to_json`."""
        isolated = float(data["isolated"])
        nodes, layers = tuple(data["nodes"]), tuple(data["layers"])
        return ExportFault(data["layer"], data["operator"], nodes, isolated, layers, data["replaced"])
