"""Products of two computed tensors: of matrices, and of a difference with itself; LiteRT's own kernels, in fixed point."""

from __future__ import annotations

import numpy as np

from .graph import Operator
from .pairs import both, give
from .rounding import EXACT, clipped, fixed_point, requantized, scaled

_LEFT = 7  # bits by which both sides of a difference are raised before they are scaled


def batched(o: Operator) -> None:
    """BATCH_MATMUL of the last two axes, either of which is turned round where its option says so.

    XNNPACK takes it where the right side has the zero point 0; else LiteRT's own kernel rounds in fixed point.
    """
    names = []
    for place, option in ((0, "adjX"), (1, "adjY")):
        rank = len(o.tensor(place).shape)
        order = [*range(rank - 2), rank - 1, rank - 2]
        names.append(o.write("Transpose", o.last(place), perm=order) if o.option(option) else o.last(place))
    if not o.quantized:
        return o.give(last=o.write("MatMul", *names))
    _require_bytes(o)
    depth = o.tensor(0).shape[-2 if o.option("adjX") else -1]
    reach = np.prod([max(abs(end) for end in o.tensor(place).bounds) for place in (0, 1)])
    if depth is None or depth * reach >= EXACT:  # float64 holds any sum of 32 bits
        made = o.write("MatMul", *(o.write("Cast", name, to=11) for name in names))
    else:
        made = o.write("MatMul", *names)
    one, two, given = (tensor.scale for tensor in (o.tensor(0), o.tensor(1), o.output))
    if o.tensor(1).zero == 0:
        return o.give(last=requantized(o, o.write("Cast", made, to=1), one * two / given))
    factor = np.float64(one) * np.float64(two) / np.float64(given)
    return o.give(last=fixed_point(o, made, np.asarray(factor)))


def squared_difference(o: Operator) -> None:
    """SQUARED_DIFFERENCE: both sides in a common fixed point, their difference squared, scaled down."""
    one, two, second = both(o)
    if not o.quantized:
        apart = o.write("Sub", one, two)
        return give(o, o.write("Mul", apart, apart), second)
    _require_bytes(o)
    own = [np.float64(o.tensor(place).scale) for place in (0, 1)]
    twice = 2 * max(own)
    parts = [
        scaled(o, o.write("Mul", name, o.write.constant(1 << _LEFT)), np.asarray(scale / twice))
        for name, scale in zip((one, two), own, strict=True)
    ]
    apart = o.write("Sub", *parts)
    squared = o.write("Mul", apart, apart)
    factor = twice * twice / ((1 << (2 * _LEFT)) * np.float64(o.output.scale))
    made = o.write("Cast", scaled(o, squared, np.asarray(factor)), to=1)
    return give(o, clipped(o, made), second)


def _require_bytes(o: Operator) -> None:
    """Raise UnusableInput where an operand is anything but int8 of one scale."""
    for tensor in (o.tensor(0), o.tensor(1), o.output):
        if tensor.kind != "int8" or len(tensor.scales) != 1:
            raise o.refuse("has an operand that is not in int8 of one scale")
