"""The orders of dimensions that a user wants, held against those that a converter gives or can give."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from safeconvert.adapter_api.protocol import ConvertReply, ConvertRequest, Permutation, channels_last

_LAST = "NCHW->NHWC"


def moved_ends(
    ends: Collection[str], inputs: Sequence[str], outputs: Sequence[str], step: ConvertRequest
) -> frozenset[str]:
    """Which inputs and outputs have their second dimension last in the target: those of `ends`, but for what the user wants otherwise.

    Args:
        ends: by a converter's own choice.
        inputs, outputs: their names, in the source's order.
        step: with the user's wishes.

    Raises:
        NotImplementedError: channels are to become second, which the target's operators on images do not have.
    """
    found = set(ends)
    for names, orders in zip((inputs, outputs), step.layouts, strict=True):
        for name, order in zip(names, orders, strict=False):
            if order == "keep":
                found.discard(name)
            elif order == _LAST:
                found.add(name)
            elif order:
                raise NotImplementedError(f"{name}: {order} is no order that this converter gives")
    return frozenset(found)


def require_layouts(reply: ConvertReply, inputs: Sequence[str], outputs: Sequence[str], step: ConvertRequest) -> None:
    """Raise NotImplementedError where a converter gave another order than the user wants."""
    sides = zip((inputs, outputs), (reply.inputs, reply.outputs), step.layouts, strict=True)
    for names, given, orders in sides:
        for name, order, wanted in zip(names, given, orders, strict=False):
            if wanted and not _is(order, wanted):
                raise NotImplementedError(f"{name}: this converter does not give it as --target-layout {wanted} says")


def _is(order: Permutation | None, wanted: str) -> bool:
    if order is None:
        return wanted == "keep"
    return wanted == _LAST and order == channels_last(len(order))
