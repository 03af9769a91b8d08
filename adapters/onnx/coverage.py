"""What inputs exercise of a graph, asked by the host file by file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from safeconvert.graph.coverage import Coverage


def exercised(path: str, groups: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """What each group of inputs exercises of an ONNX graph.

    Args:
        path: of the graph.
        groups: for each group, the `.npy` file of every input of the native model, in its order.

    Returns:
        `items`: all that can be exercised, in the graph's order; `groups`: for each group the places of those that it does;
        `reason`: why nothing could be measured, or "".
    """
    try:
        coverage = Coverage(onnx.load(path))
        items = list(dict.fromkeys(item for point in coverage.points for item in point.items()))
        indices = {item: index for index, item in enumerate(items)}
        found = []
        for files in groups:
            named = (
                [files[name] for name in coverage.inputs]
                if set(coverage.inputs) == set(files)
                else list(files.values())
            )
            arrays = [np.load(file, allow_pickle=False) for file in named]
            found.append(sorted(indices[item] for item in coverage.exercised(arrays)))
    except RuntimeError as error:
        return {"items": [], "groups": [], "reason": " ".join(str(error).split())[:200]}
    return {"items": items, "groups": found, "reason": ""}
