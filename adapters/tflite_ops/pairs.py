"""Operators on two tensors, and those that join several."""

from __future__ import annotations

from typing import Any

import numpy as np

from .graph import Operator, Rule
from .rounding import activated, clipped, requantized

_BITS = 20  # XNNPACK's multipliers of a sum lie between 2**20 and 2**21


def both(o: Operator) -> tuple[str, str, bool]:
    """The two operands in one order of axes, and whether that is channels second."""
    if all(o.tensor(place).array is None for place in (0, 1)):
        alike = o.tensor(0).shape == o.tensor(1).shape
        if alike and o.is_second(0) and o.is_second(1):
            return o.second(0), o.second(1), True
    else:
        constant = 0 if o.tensor(0).array is not None else 1
        array = o.tensor(constant).centred
        if o.is_second(1 - constant) and (array.size == 1 or array.size == array.shape[-1]):
            names = [o.second(place) if place != constant else "" for place in (0, 1)]
            names[constant] = o.write.constant(array.reshape([] if array.size == 1 else [-1, 1, 1]))
            return names[0], names[1], True
    return o.last(0), o.last(1), False


def give(o: Operator, name: str, second: bool) -> None:
    """Say what the output is called."""
    o.give(second=name) if second else o.give(last=name)


def total(sign: int) -> Rule:
    """ADD and SUB: both sides in a common fixed point of 21 bits, added, shifted down with half rounded up."""

    def rule(o: Operator) -> None:
        one, two, second = both(o)
        activation = o.option("fusedActivationFunction")
        if not o.quantized:
            made = o.write("Add" if sign > 0 else "Sub", one, two)
            return give(o, made if o.output.kind != "float32" else activated(o, made, activation), second)
        scales = [o.tensor(place).scale / o.output.scale for place in (0, 1)]
        largest = max(scales)
        shift = _BITS - int(np.floor(np.log2(np.float64(largest))))
        factors = [float(np.rint(np.float64(scale) * 2.0**shift)) for scale in scales]
        factors[1] *= sign
        parts = [
            o.write("Mul", o.write("Cast", name, to=11), o.write.constant(np.float64(factor * 2.0**-shift)))
            for name, factor in zip((one, two), factors, strict=True)
        ]
        raised = o.write("Add", o.write("Add", *parts), o.write.constant(np.float64(0.5)))
        made = o.write("Cast", o.write("Floor", raised), to=1)
        return give(o, clipped(o, made, activation), second)

    return rule


def times(o: Operator) -> None:
    """MUL."""
    one, two, second = both(o)
    activation = o.option("fusedActivationFunction")
    made = o.write("Mul", one, two)
    if o.quantized:
        factor = o.tensor(0).scale * o.tensor(1).scale / o.output.scale
        made = requantized(o, made, factor, activation)
    elif o.output.kind == "float32":
        made = activated(o, made, activation)
    give(o, made, second)


def plain(operator: str) -> Rule:
    """An operator of ONNX on two tensors of one scale, or of none."""

    def rule(o: Operator) -> None:
        kinds = {(o.tensor(place).quantized, *_scale(o, place)) for place in (0, 1)}
        if len(kinds) > 1 or (o.output.quantized and (True, *_own(o.output)) not in kinds):
            raise o.refuse("has operands of several scales")
        one, two, second = both(o)
        give(o, o.write(operator, one, two), second)

    return rule


def _scale(o: Operator, place: int) -> tuple[Any, ...]:
    return _own(o.tensor(place))


def _own(tensor: Any) -> tuple[Any, ...]:
    return (float(tensor.scale), tensor.zero) if tensor.quantized else ()


def joined(o: Operator) -> None:
    """CONCATENATION of tensors of one scale, or of none."""
    count = len(o.step.reads)
    if o.quantized and any(_scale(o, place) != _own(o.output) for place in range(count)):
        raise o.refuse("has operands of several scales")
    axis, rank = o.option("axis"), len(o.output.shape)
    axis = axis + rank if axis < 0 else axis
    if rank == 4 and all(o.is_second(place) for place in range(count)):
        return o.give(second=o.write("Concat", *(o.second(n) for n in range(count)), axis=(0, 2, 3, 1)[axis]))
    return o.give(last=o.write("Concat", *(o.last(n) for n in range(count)), axis=axis))


def packed(o: Operator) -> None:
    """PACK."""
    axis, rank = o.option("axis"), len(o.output.shape)
    axis = o.write.whole(axis + rank if axis < 0 else axis)
    parts = [o.write("Unsqueeze", o.last(place), axis) for place in range(len(o.step.reads))]
    o.give(last=o.write("Concat", *parts, axis=int(o.option("axis"))))
