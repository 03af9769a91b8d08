"""Let tf2onnx optimize a graph in place.

tf2onnx 1.17 copies the whole graph, weights and all, in front of every optimizer, so that one that fails can be left out, and
writes every weight anew behind it, into memory that is not given back before the end (26 times for a chain of convolutions): a
model of 100 MB takes 5 GB, one of 500 MB more than most machines have. Optimizers hardly ever fail; where one does,
everything is converted again with the copies. Weights are written where they have changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tf2onnx import optimizer
from tf2onnx.graph import Node

from . import tf2onnx_division, tf2onnx_operators, tf2onnx_resize, tf2onnx_signal  # noqa: F401 - register them

Made = TypeVar("Made")


def optimized_in_place(convert: Callable[[], Made]) -> Made:
    """What `convert`, which calls tf2onnx, returns; it is called a second time where an optimizer fails."""
    with _unchanged_weights_kept():
        return _in_place(convert)


def _in_place(convert: Callable[[], Made]) -> Made:
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


@contextmanager
def _unchanged_weights_kept() -> Iterator[None]:
    """Within, `Node.update_proto` leaves the value of a constant alone that its message holds already."""
    original = Node.update_proto

    def update_proto(node: Any, external_tensor_storage: Any = None) -> None:
        if external_tensor_storage is not None or not node.is_const():
            original(node, external_tensor_storage)
            return
        held = list(node.op.attribute)
        if [id(one) for one in held] == [id(node.attr.get(one.name)) for one in held] and "value" in {
            one.name for one in held
        }:
            node.op.output[:] = node.output
            return
        original(node)
        node.attr.update({one.name: one for one in node.op.attribute})

    Node.update_proto = update_proto
    try:
        yield
    finally:
        Node.update_proto = original
