"""Transpose, and all that gives another shape."""

from __future__ import annotations

from safeconvert.prove.axioms.affine import broadcast
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Value, reshaped, transposed
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused

_INFERENCE = "a Dropout is at inference"


def _transpose(n: Node) -> list[Value]:
    AXIOM.use(n.store)
    return [transposed(n.store, n.value(), n.attributes.get("perm") or tuple(reversed(range(len(n.value().groups)))))]


def _reshape(n: Node) -> list[Value]:
    AXIOM.use(n.store)
    return [reshaped(n.store, n.value(), n.shape)]


def _expand(n: Node) -> list[Value]:
    return [broadcast(n.store, n.value(), n.shape)]


def _tile(n: Node) -> list[Value]:
    times = n.constant(1)
    if times is None or any(count != 1 and size != 1 for count, size in zip(times, n.value().shape, strict=True)):
        raise Refused("Tile: of axes that hold several places")
    return [broadcast(n.store, n.value(), n.shape)]


def _depth_to_space(n: Node) -> list[Value]:
    batch, channels, height, width = n.value().shape
    block = n.attributes["blocksize"]
    each = channels // block**2
    first = n.attributes.get("mode", "DCR") == "DCR"
    parts = (batch, block, block, each, height, width) if first else (batch, each, block, block, height, width)
    order = (0, 3, 4, 1, 5, 2) if first else (0, 1, 4, 2, 5, 3)
    AXIOM.use(n.store)
    return [reshaped(n.store, transposed(n.store, reshaped(n.store, n.value(), parts), order), n.shape)]


def _space_to_depth(n: Node) -> list[Value]:
    batch, channels, height, width = n.value().shape
    block = n.attributes["blocksize"]
    AXIOM.use(n.store)
    cut = reshaped(n.store, n.value(), (batch, channels, height // block, block, width // block, block))
    return [reshaped(n.store, transposed(n.store, cut, (0, 3, 5, 1, 2, 4)), n.shape)]


def _identity(n: Node) -> list[Value]:
    training = n.constant(2)
    inside = n.operator[1] == "Dropout" and n.operator[2] < 7 and not n.attributes.get("is_test", 0)
    AXIOM.require(n.store, _INFERENCE, (training is None or not training.any()) and not inside)
    return [n.value()]


AXIOM = Axiom(
    "moves of elements",
    "Transpose, Reshape, Flatten, Squeeze, Unsqueeze, DepthToSpace and SpaceToDepth change no number: they say in which order of axes a tensor is held; "
    "Expand broadcasts.",
    (_INFERENCE,),
    {"Transpose": _transpose, "Reshape": _reshape, "Flatten": _reshape, "Squeeze": _reshape, "Unsqueeze": _reshape,
     "DepthToSpace": _depth_to_space, "SpaceToDepth": _space_to_depth, "Expand": _expand, "Tile": _tile, "Identity": _identity, "Dropout": _identity},
)  # fmt: skip
