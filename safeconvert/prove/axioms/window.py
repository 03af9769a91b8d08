"""Windows of Conv and pooling, with padding written out."""

from __future__ import annotations

from dataclasses import dataclass

from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused


@dataclass(frozen=True)
class Window:
    """By spatial axis: sizes, strides, dilations, and padding in front and behind."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: tuple[tuple[int, int], ...]

    def trivial(self, axis: int, size: int) -> bool:
        """Whether the axis has one place, and the window reads it."""
        return size == self.kernel[axis] == 1 and self.pads[axis] == (0, 0)

    def behind(self, axis: int, size: int, count: int) -> int:
        """How far the last of the windows reaches beyond the tensor; negative where it ends before."""
        reach = (self.kernel[axis] - 1) * self.dilations[axis] + 1
        return (count - 1) * self.strides[axis] + reach - size - self.pads[axis][0]


def window(n: Node, kernel: list[int]) -> Window:
    """The window of a node. Raises Refused where its padding is said twice."""
    rank = len(kernel)
    strides = tuple(n.attributes.get("strides") or (1,) * rank)
    dilations = tuple(n.attributes.get("dilations") or (1,) * rank)
    given = tuple(n.attributes.get("pads") or (0,) * (2 * rank))
    mode = n.attributes.get("auto_pad", "NOTSET")
    if mode == "NOTSET":
        return Window(tuple(kernel), strides, dilations, tuple(zip(given[:rank], given[rank:], strict=True)))
    if any(given) or mode not in ("VALID", "SAME_UPPER", "SAME_LOWER"):
        raise Refused(f"{n.operator[1]}: auto_pad and pads are both given")
    bare = Window(tuple(kernel), strides, dilations, ((0, 0),) * rank)
    if mode == "VALID":
        return bare
    over = [
        max(bare.behind(a, n.value().shape[2 + a], -(-n.value().shape[2 + a] // strides[a])), 0) for a in range(rank)
    ]
    first = [total // 2 if mode == "SAME_UPPER" else total - total // 2 for total in over]
    return Window(
        tuple(kernel), strides, dilations, tuple((f, total - f) for f, total in zip(first, over, strict=True))
    )
