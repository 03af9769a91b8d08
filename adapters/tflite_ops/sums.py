"""Operators that are sums of products: convolutions and dense layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .file import Array
from .graph import Operator, Rule
from .rounding import EXACT, activated, fixed_point, requantized

_SAME = 0


@dataclass(frozen=True)
class Window:
    """Strides, dilations, groups and padding of a convolution, as ONNX takes them."""

    strides: tuple[int, int]
    dilations: tuple[int, int]
    group: int
    same: bool


Convolved = Callable[[Operator, Array, Window], None]
"""Writes a convolution whose weights are as ONNX has them."""


def convolution(convolved: Convolved) -> Rule:
    """CONV_2D: weights are [out, height, width, in of a group]."""

    def rule(o: Operator) -> None:
        weights = constant(o, 1).transpose(0, 3, 1, 2)
        channels = o.tensor(0).shape[3]
        if not channels or channels % weights.shape[1]:
            raise o.refuse(f"has {channels} channels in groups of {weights.shape[1]}")
        convolved(o, weights, window(o, channels // weights.shape[1]))

    return rule


def depthwise(convolved: Convolved) -> Rule:
    """DEPTHWISE_CONV_2D: weights are [1, height, width, out]."""

    def rule(o: Operator) -> None:
        weights = constant(o, 1)
        channels = o.tensor(0).shape[3]
        if weights.shape[0] != 1 or not channels or weights.shape[3] % channels:
            raise o.refuse(f"has weights of the shape {weights.shape}")
        convolved(o, weights.transpose(3, 0, 1, 2), window(o, channels))

    return rule


def dense(o: Operator) -> None:
    """FULLY_CONNECTED: weights are [out, in]; without keep_num_dims all but the last axis are one."""
    weights = constant(o, 1)
    name = o.last()
    if not o.option("keepNumDims") and (len(o.tensor(0).shape) != 2 or o.tensor(0).shape[1] != weights.shape[1]):
        name = o.write("Reshape", name, o.write.whole(-1, weights.shape[1]))
    bias = _bias(o)
    parts = []
    for begin, end in _parts(o, weights, bias):
        cut = name
        if (begin, end) != (0, weights.shape[1]):
            cut = o.write("Slice", name, *(o.write.whole(one) for one in (begin, end, -1)))
        parts.append(o.write("MatMul", cut, o.write.constant(weights[:, begin:end].T)))
    if bias is not None and len(parts) == 1:
        parts = [o.write("Add", parts[0], o.write.constant(bias))]
    made = _total(o, parts, bias)
    activation = o.option("fusedActivationFunction")
    o.give(last=requantized(o, made, _factor(o), activation) if o.quantized else activated(o, made, activation))


def transposed(o: Operator) -> None:
    """TRANSPOSE_CONV: operands are the output's shape, weights [out, height, width, in], the image, a bias.

    XNNPACK takes it where the shape is a constant; else LiteRT's own kernel rounds in fixed point.
    """
    weights, image = constant(o, 1).transpose(3, 0, 1, 2), o.tensor(2)
    strides = o.option("strideH"), o.option("strideW")
    pads = []
    for axis in (0, 1):
        wanted, size = o.output.shape[1 + axis], image.shape[1 + axis]
        over = None if wanted is None or size is None else (size - 1) * strides[axis] + weights.shape[2 + axis] - wanted
        if over is None:
            raise o.refuse("gives images whose size is free")
        pads.append((over // 2, over - over // 2) if over >= 0 else (0, over))
    if any(end < 0 for pair in pads for end in pair):
        raise o.refuse("gives images larger than its windows reach")
    bias = _bias(o, 3)
    largest = max(abs(end) for end in image.bounds) if o.quantized else 0
    reach = np.abs(weights).sum(axis=(0, 2, 3), dtype=np.float64).max() * largest
    if o.quantized and reach + (0 if bias is None else np.abs(bias).max()) >= EXACT:
        raise o.refuse("has sums that float32 does not hold exactly")
    names = [o.second(2), o.write.constant(weights), *([] if bias is None else [o.write.constant(bias)])]
    made = o.write(
        "ConvTranspose", *names, kernel_shape=weights.shape[2:], strides=strides,
        pads=[pads[0][0], pads[1][0], pads[0][1], pads[1][1]],
    )  # fmt: skip
    activation = o.option("fusedActivationFunction")
    if not o.quantized:
        return o.give(second=activated(o, made, activation))
    if o.tensor(0).array is not None:
        return o.give(second=requantized(o, made, _factor(o, 2).reshape(-1, 1, 1), activation))
    scales = np.float64(image.scale) * o.tensor(1).scales.astype(np.float64) / np.float64(o.output.scale)
    return o.give(second=fixed_point(o, made, scales.reshape(-1, 1, 1), activation))


def convolved(o: Operator, weights: Array, own: Window) -> None:
    """On bytes."""
    bias = _bias(o)
    whole = weights.shape[1]
    parts = []
    found = _parts(o, weights, bias) if own.group == 1 else [(0, whole)]
    for begin, end in found:
        image = o.second()
        if (begin, end) != (0, whole):
            image = o.write("Slice", image, *(o.write.whole(one) for one in (begin, end, 1)))
        names = [image, o.write.constant(weights[:, begin:end])]
        if bias is not None and len(found) == 1:
            names.append(o.write.constant(bias))
        parts.append(
            o.write(
                "Conv",
                *names,
                kernel_shape=weights.shape[2:],
                strides=own.strides,
                dilations=own.dilations,
                group=own.group,
                auto_pad="SAME_UPPER" if own.same else "VALID",
            )  # fmt: skip
        )
    made = _total(o, parts, None if bias is None else bias.reshape(-1, 1, 1))
    activation = o.option("fusedActivationFunction")
    factor = _factor(o).reshape(-1, 1, 1) if o.quantized else None
    o.give(second=activated(o, made, activation) if factor is None else requantized(o, made, factor, activation))


def window(o: Operator, group: int) -> Window:
    """The options of a convolution."""
    return Window(
        (o.option("strideH"), o.option("strideW")),
        (o.option("dilationHFactor", 1), o.option("dilationWFactor", 1)),
        group,
        o.option("padding") == _SAME,
    )


def constant(o: Operator, place: int) -> Array:
    """Weights as whole numbers in float32. Raises UnusableInput where they are computed, or quantised under a float operator."""
    tensor = o.tensor(place)
    if tensor.array is None or tensor.kind == "" or tensor.quantized != o.quantized:
        raise o.refuse("has weights that are computed, or of another kind than its output")
    return tensor.centred


def _bias(o: Operator, place: int = 2) -> Array | None:
    """The bias in float32. Raises UnusableInput for one that float32 cannot hold."""
    if not o.has(place):
        return None
    array = o.tensor(place).array
    if array is None or o.tensor(place).kind not in ("int32", "float32"):
        raise o.refuse("has a bias that is computed, or of a type that is not supported")
    if np.abs(array.astype(np.float64)).max(initial=0) >= EXACT and o.quantized:
        raise o.refuse("has a bias that float32 does not hold exactly")
    return array.astype(np.float32)


def _factor(o: Operator, place: int = 0) -> Array:
    """By what a sum is multiplied, a factor or one an output channel, in XNNPACK's order of float32 operations."""
    factor: Array = o.tensor(place).scale * o.tensor(1).scales / o.output.scale
    return factor


def _parts(o: Operator, weights: Array, bias: Array | None) -> list[tuple[int, int]]:
    """Spans of input channels whose sums stay exact in float32 whatever is fed, the bias in the first of one."""
    if not o.quantized:
        return [(0, weights.shape[1])]
    added = 0.0 if bias is None else float(np.abs(bias.astype(np.float64)).max())
    return spans(o, weights, max(abs(end) for end in o.tensor(0).bounds), added)


def spans(o: Operator, weights: Array, largest: float, added: float, splits: bool = True) -> list[tuple[int, int]]:
    """Spans of input channels whose sums of products stay exact in float32; one of all where that does.

    Args:
        o: the operator.
        weights: whole numbers [out, in, ...].
        largest: what they are multiplied by at most.
        added: to a sum of all.
        splits: there may be several.

    Raises:
        UnusableInput: no spans do.
    """
    count = weights.shape[1]
    of_channel = np.abs(weights).reshape(len(weights), count, -1).sum(axis=2, dtype=np.float64) * largest
    if float(of_channel.sum(axis=1).max()) + added < EXACT:
        return [(0, count)]
    pieces = 2
    while pieces < count and splits:
        edges = [count * piece // pieces for piece in range(pieces + 1)]
        found = list(pairwise(edges))
        if all(float(of_channel[:, begin:end].sum(axis=1).max()) < EXACT for begin, end in found):
            return found
        pieces += 1
    raise o.refuse("has sums that float32 does not hold exactly")


def _total(o: Operator, parts: list[str], bias: Array | None) -> str:
    """Exact parts added in float64 with the bias and rounded to float32 once, as the kernel rounds its 32-bit sum."""
    if len(parts) == 1:
        return parts[0]
    wide = [o.write("Cast", part, to=11) for part in parts]
    total = wide[0]
    for part in wide[1:]:
        total = o.write("Add", total, part)
    if bias is not None:
        total = o.write("Add", total, o.write.constant(bias.astype(np.float64)))
    return str(o.write("Cast", total, to=1))
