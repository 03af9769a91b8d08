"""What a person needs to see of a repair besides its faults and trials: errors along the layers, both graphs, the regions."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.graph.view import Array, GraphView
from safeconvert.localize.alignment import Alignment
from safeconvert.localize.faults import Fault
from safeconvert.localize.layer_errors import LayerError, layer_errors, propagated_errors
from safeconvert.localize.matching import Probes
from safeconvert.localize.reproduction import Reproduction, write_reproduction

_REGIONS = 16  # written; more of them show the same again
_NODES = 20_000  # of a graph that is shown
_MANY, _FEW, _STEP = 256 << 20, 1 << 16, 64
"""Bytes of values that are not kept in memory, of a single one that is, and at what multiple of bytes one begins in a file."""


def _stays(value: Array) -> bool:
    return value.nbytes < _FEW or value.dtype.hasobject


class Recorder:
    """Takes notes of the rounds of one repair.

    Args:
        folder: where the regions' files go, in a folder `regions` that is emptied first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        shutil.rmtree(folder / "regions", ignore_errors=True)
        self._first: Alignment | None = None
        self._layers: list[LayerError] = []
        self._exits: dict[int, str] = {}
        self._regions: dict[str, tuple[str, Reproduction]] = {}

    def round(self, alignment: Alignment, faults: Mapping[int, Fault]) -> None:
        """Note a round's alignment and its faults by their numbers."""
        if self._first is None:
            self._layers = layer_errors(alignment)
            fed = {name: alignment.target_values[name] for name in alignment.target.inputs}
            # The rest would double what a repair holds.
            self._first = replace(alignment, target_values=fed, source_values=self._aside(alignment.source_values))
        for number, fault in faults.items():
            self._exits.setdefault(number, fault.exit)
        for region in alignment.regions:
            name = region.exit.target
            if name in self._exits.values() and name not in self._regions and len(self._regions) < _REGIONS:
                subfolder = f"regions/{len(self._regions)}"
                self._regions[name] = (subfolder, write_reproduction(alignment, region, self._folder / subfolder))

    def _aside(self, values: Mapping[str, Probes]) -> Mapping[str, Probes]:
        """The values, in a file where they are many: they are looked at again at the end, and the rounds before it hold as many."""
        if sum(value.nbytes for each in values.values() for value in each if not _stays(value)) < _MANY:
            return values
        self._folder.mkdir(parents=True, exist_ok=True)
        path, offsets = self._folder / "first", []
        with path.open("wb") as file:
            for value in (value for each in values.values() for value in each):
                file.seek(-file.tell() % _STEP, os.SEEK_CUR)
                offsets.append(file.tell())
                file.write(b"" if _stays(value) else np.ascontiguousarray(value).data)
        mapped: Array = np.memmap(path, np.uint8, "r")
        path.unlink()  # what is mapped is there until it is let go
        places = iter(offsets)

        def found(value: Array, offset: int) -> Array:
            part = mapped[offset : offset + value.nbytes]
            return value if _stays(value) else part.view(value.dtype).reshape(value.shape)

        return {name: [found(value, next(places)) for value in each] for name, each in values.items()}

    def record(self, candidate: GraphView) -> dict[str, Any]:
        """The notes, JSON-able.

        Args:
            candidate: as it is at the end, with all accepted edits.
        """
        if self._first is None:
            return {"along": [], "graphs": {}, "regions": []}
        pairs = [self._first.pairs[layer.target_tensor] for layer in self._layers]
        after = propagated_errors(self._first, candidate, pairs)
        return {
            "along": [self._layer(layer, after.get(layer.target_tensor)) for layer in self._layers],
            "graphs": {"source": _graph(self._first.source), "target": _graph(self._first.target)},
            "regions": [
                {"folder": subfolder, "faults": self._behind(name), **asdict(made)}
                for name, (subfolder, made) in self._regions.items()
            ],
        }

    def _layer(self, layer: LayerError, repaired: float | None) -> dict[str, Any]:
        return {
            **asdict(layer),
            "isolated": _number(layer.isolated),
            "propagated": _number(layer.propagated),
            "repaired": _number(repaired),
            "faults": self._behind(layer.target_tensor),
        }

    def _behind(self, exit_name: str) -> list[int]:
        return [number for number, name in self._exits.items() if name == exit_name]


def _graph(view: GraphView) -> list[dict[str, Any]]:
    """The nodes, each with the numbers of those that it reads and the tensors that it makes."""
    nodes = view.nodes
    return [
        {"name": node.name, "operator": node.op_type, "reads": _makers(view, node.input), "makes": list(node.output)}
        for node in nodes[:_NODES]
    ]


def _makers(view: GraphView, names: Sequence[str]) -> list[int]:
    return [view.maker[name] for name in names if name in view.maker]


def _number(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else repr(float(value))
