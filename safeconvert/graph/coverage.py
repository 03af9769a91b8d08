"""Which points of a graph some inputs exercise. ONNX Runtime, on the instrumented copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from safeconvert.graph.coverage_outputs import instrumented
from safeconvert.graph.coverage_points import Point
from safeconvert.graph.sessions import open_session
from safeconvert.graph.value_bounds import constant_elements, unreachable, value_bounds

Array = np.ndarray[Any, Any]
_MANY = 2000  # nodes of a graph that ONNX Runtime does not rewrite
NOTHING = "nothing in it has two sides"


@dataclass(frozen=True)
class Judged:
    """What one call does.

    Attributes:
        exercised: items.
        margins: by item, how far it is from being exercised; see `Point.margins`.
        outputs: of the graph, by name.
    """

    exercised: set[str]
    margins: Mapping[str, float]
    outputs: Mapping[str, Array]


class Coverage:
    """A graph made ready to tell what inputs exercise.

    Raises:
        RuntimeError: ONNX Runtime cannot load the instrumented graph, or it has no points.
    """

    def __init__(self, model: onnx.ModelProto, made: tuple[onnx.ModelProto, list[Point]] | None = None) -> None:
        """Instrument and load; `made` is a copy that gives out other points."""
        copy, self._points = made or instrumented(model)
        if not self._points:
            raise RuntimeError(NOTHING)
        bounds = value_bounds(model)
        never = frozenset().union(*(unreachable(point, bounds) for point in self._points))
        all_items = dict.fromkeys(item for point in self._points for item in point.items())
        self.items = tuple(item for item in all_items if item not in never)
        self.impossible = tuple(item for item in all_items if item in never)
        self.constant = {value.name: constant_elements(bounds, value.name) for value in model.graph.output}
        self._outputs = [value.name for value in model.graph.output]
        known = {value.name for value in copy.graph.output}
        copy.graph.output.extend(value for value in model.graph.output if value.name not in known)
        many = (
            len(copy.graph.node) > _MANY
        )  # rewriting them takes longer than running them as they are, and grows faster than they do
        try:
            self._session = open_session(copy, optimized=not many)
        except Exception as error:  # ONNX Runtime's errors share no base class but Exception
            raise RuntimeError(str(error)) from error
        self._inputs = self._session.get_inputs()
        self._names = list(dict.fromkeys(name for point in self._points for name in point.outputs))

    @property
    def points(self) -> Sequence[Point]:
        """In the graph's order."""
        return self._points

    @property
    def inputs(self) -> Sequence[str]:
        """Names of the graph's inputs, in order."""
        return [given.name for given in self._inputs]

    @property
    def batch(self) -> int:
        """Rows that a call has to have; 0 where any number will do, or they are not told."""
        fixed = {one.shape[0] for one in self._inputs if one.shape and isinstance(one.shape[0], int)}
        return fixed.pop() if len(fixed) == 1 else 0

    def exercised(self, arrays: Sequence[Array]) -> set[str]:
        """The items that a call exercises.

        Args:
            arrays: for each input of the graph, in order; where the graph fixes the batch, cut into calls of that size.

        Raises:
            RuntimeError: it does not run on them.
        """
        found: set[str] = set()
        for values in self._values(arrays):
            for point in self._points:
                found |= point.exercised(values)
        return found

    def judged(self, arrays: Sequence[Array]) -> Judged:
        """What a call exercises, how far it is from the rest, and its outputs.

        Raises:
            RuntimeError: as `exercised`.
        """
        found: set[str] = set()
        margins: dict[str, float] = {}
        outputs: dict[str, Array] = {}
        for values in self._values(arrays, self._outputs):
            for point in self._points:
                found |= point.exercised(values)
                for item, margin in point.margins(values).items():
                    margins[item] = min(margins.get(item, np.inf), margin)
            outputs = {name: values[name] for name in self._outputs}
        return Judged(found, margins, outputs)

    def _values(self, arrays: Sequence[Array], more: Sequence[str] = ()) -> Iterator[Mapping[str, Array]]:
        feeds = {given.name: array for given, array in zip(self._inputs, arrays, strict=True)}
        for piece in self._pieces(feeds):
            try:
                names = list(dict.fromkeys([*self._names, *more]))
                yield dict(zip(names, self._session.run(names, piece), strict=True))
            except Exception as error:  # as above
                raise RuntimeError(str(error)) from error

    def _pieces(self, feeds: Mapping[str, Array]) -> list[Mapping[str, Array]]:
        rows = {len(array) for array in feeds.values() if array.ndim}
        if not self.batch or len(rows) != 1 or not min(rows):
            return [feeds]
        size, count = self.batch, rows.pop()
        if size >= count:
            return [feeds]
        return [
            {name: array[start : start + size] for name, array in feeds.items()}
            for start in range(0, count - size + 1, size)
        ]
