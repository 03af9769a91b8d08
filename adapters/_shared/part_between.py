"""What lies between two ends of a graph, whatever its nodes and tensors are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Tensor = TypeVar("Tensor", int, str)
Node = TypeVar("Node", int, str)


def between(
    exits: Iterable[Tensor],
    stops: Iterable[Tensor],
    maker: Callable[[Tensor], Node | None],
    reads: Callable[[Node], Iterable[Tensor]],
) -> tuple[set[Node], set[Tensor]]:
    """The nodes between the stops and the exits, and the tensors that they read or are.

    Args:
        exits: tensors from which the graph is walked backwards.
        stops: tensors behind which it is not.
        maker: the node that makes a tensor; None for an input, or a constant.
        reads: the tensors that a node reads.
    """
    ends, inside, reached, waiting = set(stops), set[Node](), set[Tensor](), list(exits)
    while waiting:
        tensor = waiting.pop()
        if tensor in reached:
            continue
        reached.add(tensor)
        node = None if tensor in ends else maker(tensor)
        if node is not None and node not in inside:
            inside.add(node)
            waiting += reads(node)
    return inside, reached
