"""ConvTranspose with constant weights."""

from __future__ import annotations

import numpy as np

from safeconvert.prove.axioms.affine import affine, only_along, parts
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Value, along, canonical
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused, near

_CHANNELS = "the factor of what is read varies along its channels only, and nothing is added to it"


def _transposed(n: Node) -> list[Value]:
    value, weights = n.value(), n.real(1)
    if (
        n.attributes.get("auto_pad", "NOTSET") != "NOTSET"
        or n.attributes.get("output_shape")
        or n.attributes["group"] != 1
    ):
        raise Refused("ConvTranspose: in groups, or padded by the size of its output")
    AXIOM.use(n.store)
    rank = weights.ndim - 2
    strides, dilations = (tuple(n.attributes.get(name) or (1,) * rank) for name in ("strides", "dilations"))
    before = tuple(n.attributes.get("pads") or (0,) * (2 * rank))[:rank]
    sizes = value.shape[2:]
    window = weights.shape[2:]
    kept = [a for a in range(rank) if not (sizes[a] == window[a] == n.shape[2 + a] == 1 and before[a] == 0)]
    kernel = np.moveaxis(weights, 1, -1).reshape(weights.shape[0], *(window[a] for a in kept), weights.shape[1])
    core, s, b, _ = parts(value.term)
    single = len(value.groups[1]) <= 1 and only_along(s, value.groups[1]) and not b.any()
    if AXIOM.holds(n.store, _CHANNELS, single):
        kernel = kernel * np.broadcast_to(s.reshape(-1)[: value.shape[1]], value.shape[1]).reshape(
            -1, *(1,) * (len(kept) + 1)
        )
    else:
        core = value.term
    kept_sizes, groups = canonical(n.shape)
    index = sum(size != 1 for size in n.shape[:1])
    settings = tuple((strides[a], dilations[a] if window[a] > 1 else 1, before[a]) for a in kept)
    read = tuple(group for axis, group in enumerate(value.groups) if axis < 2 or axis - 2 in kept)
    made = Value(n.store.term("transposed conv", kept_sizes, (core,), (index, settings, read), [near(kernel)]), groups)
    if n.constant(2) is None:
        return [made]
    bias = along(n.real(2).reshape((-1,) + (1,) * rank), made)
    return [Value(affine(n.store, made.term, 1.0, bias), made.groups)]


AXIOM = Axiom(
    "transposed convolutions",
    "A transposed convolution is said by its windows, by what is cut in front, and by the size of its output; a factor of its input's channels or of its output's "
    "goes into its weights.",
    (_CHANNELS,),
    {"ConvTranspose": _transposed},
)
