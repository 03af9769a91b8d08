"""A graph's constants, read when they are used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper


class Constants(Mapping[str, np.ndarray[Any, Any]]):
    """The initializers of a graph by name, as they were when this was made; each is decoded once, when it is used."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        """Note the tensors, decode none."""
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}
        self._values: dict[str, np.ndarray[Any, Any]] = {}

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        """The value of a constant."""
        if name not in self._values:
            self._values[name] = numpy_helper.to_array(self._tensors[name])
        return self._values[name]

    def __contains__(self, name: object) -> bool:
        """Whether it is a constant; decodes nothing."""
        return name in self._tensors

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._tensors)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._tensors)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Their shapes; decodes nothing."""
        return {name: tuple(tensor.dims) for name, tensor in self._tensors.items()}
