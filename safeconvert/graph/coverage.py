"""Which points of a graph some inputs exercise. ONNX Runtime, on the instrumented copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from safeconvert.graph.coverage_points import Point, instrumented

Array = np.ndarray[Any, Any]


class Coverage:
    """A graph made ready to tell what inputs exercise.

    Raises:
        RuntimeError: ONNX Runtime cannot load the instrumented graph, or it has no points.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        """Instrument and load."""
        import onnxruntime as ort

        copy, self._points = instrumented(model)
        if not self._points:
            raise RuntimeError("nothing in it has two sides")
        options = ort.SessionOptions()
        options.log_severity_level = 4
        try:
            self._session = ort.InferenceSession(copy.SerializeToString(), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's errors share no base class but Exception
            raise RuntimeError(str(error)) from error
        self._inputs = self._session.get_inputs()

    @property
    def points(self) -> Sequence[Point]:
        """In the graph's order."""
        return self._points

    @property
    def inputs(self) -> Sequence[str]:
        """Names of the graph's inputs, in order."""
        return [given.name for given in self._inputs]

    def exercised(self, arrays: Sequence[Array]) -> set[str]:
        """The items that a call exercises.

        Args:
            arrays: for each input of the graph, in order; where the graph fixes the batch, cut into calls of that size.

        Raises:
            RuntimeError: it does not run on them.
        """
        feeds = {given.name: array for given, array in zip(self._inputs, arrays, strict=True)}
        found: set[str] = set()
        for piece in self._pieces(feeds):
            try:
                names = [one.name for one in self._session.get_outputs()]
                values = dict(zip(names, self._session.run(names, piece), strict=True))
            except Exception as error:  # as above
                raise RuntimeError(str(error)) from error
            for point in self._points:
                found |= point.exercised(values)
        return found

    def _pieces(self, feeds: Mapping[str, Array]) -> list[Mapping[str, Array]]:
        fixed = {one.shape[0] for one in self._inputs if one.shape and isinstance(one.shape[0], int)}
        rows = {len(array) for array in feeds.values() if array.ndim}
        if len(fixed) != 1 or len(rows) != 1 or not min(rows):
            return [feeds]
        size, count = fixed.pop(), rows.pop()
        if size >= count:
            return [feeds]
        return [
            {name: array[start : start + size] for name, array in feeds.items()}
            for start in range(0, count - size + 1, size)
        ]
