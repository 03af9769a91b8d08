"""What integers a graph's inputs take, as far as the graph tells."""

from __future__ import annotations

import math
from typing import Any

from safeconvert.graph.inlined import inlined
from safeconvert.graph.integer_ranges import integer_ranges
from safeconvert.graph.stored import light_graph

_SMALL = 64


def input_ranges(path: str) -> list[dict[str, Any] | None]:
    """For each graph input, in order, the integers to feed it (`graph.ranges.IntegerRange` as JSON); None where nothing is known."""
    model = inlined(light_graph(path))
    for tensor in model.graph.initializer:
        if math.prod(tensor.dims) > _SMALL:
            for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data"):
                tensor.ClearField(field)  # only its shape is asked for, and shape inference copies all
    found = integer_ranges(model)
    return [None if taken is None else taken.to_json() for taken in found]
