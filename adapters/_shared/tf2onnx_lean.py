"""Let tf2onnx optimize a graph in place.

tf2onnx 1.17 copies the whole graph, weights and all, in front of every optimizer, so that one that fails can be left out: a
model of 100 MB takes 5 GB, one of 500 MB more than most machines have. Optimizers hardly ever fail; where one does,
everything is converted again with the copies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from tf2onnx import optimizer

Made = TypeVar("Made")


def optimized_in_place(convert: Callable[[], Made]) -> Made:
    """What `convert`, which calls tf2onnx, returns; it is called a second time where an optimizer fails."""
    original = optimizer.optimize_graph
    failed = False

    def optimize_graph(graph: Any, catch_errors: bool = True, optimizers: Any = None) -> Any:
        nonlocal failed
        try:
            return original(graph, catch_errors=False, optimizers=optimizers)
        except Exception:
            failed = True
            raise

    optimizer.optimize_graph = optimize_graph
    try:
        return convert()
    except Exception:
        if not failed:
            raise
    finally:
        optimizer.optimize_graph = original
    return convert()
