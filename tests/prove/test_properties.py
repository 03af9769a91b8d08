"""Each axiom on random graphs in float64: what it makes one term of is one function, to the last digits."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto
from onnx.reference import ReferenceEvaluator

from safeconvert.prove.axioms.table import AXIOMS
from safeconvert.prove.prover import prove
from tests.prove.graphs import Builder, contract
from tests.prove.recurrent import body, drawn, operator

Pair = tuple[onnx.ModelProto, onnx.ModelProto]
Random = np.random.Generator


class Doubles(Builder):
    """A graph in float64."""

    def __init__(self, *shape: int, opset: int = 20) -> None:
        super().__init__(shape, opset, TensorProto.DOUBLE)

    def constant(self, value: Any, dtype: Any = np.float64) -> str:
        return super().constant(value, dtype)


def sizes(r: Random, count: int) -> list[int]:
    return [int(n) for n in r.integers(2, 6, count)]


def affine_maps(r: Random) -> Pair:
    n, m = sizes(r, 2)
    s, b, t, c = (r.normal(size=m) for _ in range(4))
    one, two = Doubles(n, m), Doubles(n, m)
    first = one(
        "Add",
        one("Mul", one("Add", one("Mul", "x", one.constant(s)), one.constant(b)), one.constant(t)),
        one.constant(c),
    )
    return one.model(first), two.model(two("Add", two("Mul", "x", two.constant(s * t)), two.constant(b * t + c)))


def folded(r: Random) -> Pair:
    n, c, k, h, w = sizes(r, 5)
    weights, bias, factor = r.normal(size=(k, c, 2, 2)), r.normal(size=k), r.normal(size=k)
    one, two = Doubles(n, c, h, w), Doubles(n, c, h, w)
    made = one(
        "Mul", one("Conv", "x", one.constant(weights), one.constant(bias)), one.constant(factor.reshape(k, 1, 1))
    )
    scaled = two.constant(weights * factor.reshape(-1, 1, 1, 1)), two.constant(bias * factor)
    return one.model(made), two.model(two("Conv", "x", *scaled))


def common_factor(r: Random) -> Pair:
    n, m = sizes(r, 2)
    one, two = Doubles(n, m), Doubles(n, m)
    q, p = one("Exp", "x"), two("Exp", "x")
    number, gamma = r.normal(), r.normal(size=m)
    first = one("Mul", one("Mul", one("Tanh", "x"), q), one.constant(gamma * number))
    made = one("Add", one("Mul", one("Mul", one("Sin", "x"), q), one.constant(gamma)), first)
    inner = two("Add", two("Sin", "x"), two("Mul", two("Tanh", "x"), two.constant(number)))
    return one.model(made), two.model(two("Mul", two("Mul", inner, p), two.constant(gamma)))


def products(r: Random) -> Pair:
    n, m = sizes(r, 2)
    s, t = r.normal(size=m), r.normal(size=(n, 1))
    one, two = Doubles(n, m), Doubles(n, m)
    made = one("Mul", one("Mul", "x", one.constant(s)), one("Mul", one("Exp", "x"), one.constant(t)))
    cube = two("Div", two("Pow", "x", two.constant(3.0)), two("Mul", "x", "x"))
    other = two("Mul", two("Mul", two("Exp", "x"), "x"), two.constant(s * t))
    assert cube
    return one.model(made), two.model(other)


def batch_normalization(r: Random) -> Pair:
    n, c, h = sizes(r, 3)
    gamma, beta, mean, variance = r.normal(size=c), r.normal(size=c), r.normal(size=c), r.uniform(0.5, 2, c)
    one, two = Doubles(n, c, h), Doubles(n, c, h)
    arrays = [one.constant(array) for array in (gamma, beta, mean, variance)]
    factor = (gamma / np.sqrt(variance + np.float32(1e-3))).reshape(c, 1)
    shifted = two("Sub", "x", two.constant(mean.reshape(c, 1)))
    made = two("Add", two("Mul", shifted, two.constant(factor)), two.constant(beta.reshape(c, 1)))
    return one.model(one("BatchNormalization", "x", *arrays, epsilon=1e-3)), two.model(made)


def layer_normalization(r: Random) -> Pair:
    n, s, m = sizes(r, 3)
    gamma, beta = r.normal(size=m), r.normal(size=m)
    one, two = Doubles(n, s, m), Doubles(n, s, m)
    made = one("LayerNormalization", "x", one.constant(gamma), one.constant(beta), epsilon=0.1)
    mean = two("ReduceMean", "x", two.ints(-1))
    apart = two("Sub", "x", mean)
    variance = two("ReduceMean", two("Mul", apart, apart), two.ints(2))
    scale = two(
        "Mul", two("Reciprocal", two("Sqrt", two("Add", variance, two.constant(np.float32(0.1))))), two.constant(gamma)
    )
    rest = two("Sub", two.constant(beta), two("Mul", mean, scale))
    return one.model(made), two.model(two("Add", two("Mul", "x", scale), rest))


def clips(r: Random) -> Pair:
    n, m = sizes(r, 2)
    number = float(r.uniform(0.5, 3))
    one, two = Doubles(n, m), Doubles(n, m)
    made = one("Clip", one("Mul", "x", one.constant(number)), one.constant(-0.5), one.constant(1.5))
    inner = two("Min", two("Max", "x", two.constant(-0.5 / number)), two.constant(1.5 / number))
    return one.model(made), two.model(two("Mul", inner, two.constant(number)))


def activations(r: Random) -> Pair:
    n, m = sizes(r, 2)
    one, two = Doubles(n, m), Doubles(n, m)
    made = one("Gelu", one("Mish", "x"), approximate="tanh")
    soft = two("Mul", "x", two("Tanh", two("Softplus", "x")))
    cube = two("Mul", two("Pow", soft, two.constant(3.0)), two.constant(0.044715))
    bent = two("Tanh", two("Mul", two("Add", soft, cube), two.constant(np.sqrt(2 / np.pi))))
    half = two("Mul", soft, two.constant(0.5))
    return one.model(made), two.model(two("Mul", half, two("Add", bent, two.constant(1.0))))


def matrix(r: Random) -> Pair:
    n, m, k = sizes(r, 3)
    w, b, s, t = r.normal(size=(m, k)), r.normal(size=k), r.normal(size=m), r.normal(size=m)
    one, two = Doubles(n, m), Doubles(n, m)
    moved = one("Add", one("Mul", "x", one.constant(s)), one.constant(t))
    made = one("Add", one("MatMul", moved, one.constant(w)), one.constant(b))
    return one.model(made), two.model(two("Gemm", "x", two.constant(s[:, None] * w), two.constant(b + t @ w)))


def convolutions(r: Random) -> Pair:
    n, c, k, h = sizes(r, 4)
    w, factor = r.normal(size=(k, c, 3)), r.normal(size=c)
    one, two = Doubles(n, c, h), Doubles(n, c, h)
    scaled = one(
        "Pad", one("Mul", "x", one.constant(factor.reshape(c, 1))), one.ints(0, 0, 1, 0, 0, 2), one.constant(0.0)
    )
    wide = two("Unsqueeze", "x", two.ints(2))
    made = two("Conv", wide, two.constant((w * factor.reshape(1, c, 1))[:, :, None]), pads=[0, 1, 0, 2])
    return one.model(one("Conv", scaled, one.constant(w))), two.model(two("Squeeze", made, two.ints(2)))


def transposed(r: Random) -> Pair:
    n, c, k, h = sizes(r, 4)
    w, factor, scale = r.normal(size=(c, k, 3)), r.normal(size=(c, 1)), r.normal(size=(k, 1))
    one, two = Doubles(n, c, h), Doubles(n, c, h)
    settings = {"strides": [2], "pads": [1, 0], "output_padding": [1]}
    made = one("ConvTranspose", one("Mul", "x", one.constant(factor)), one.constant(w), **settings)
    given = two.constant((w * factor[:, :, None] * scale)[:, :, None])
    wide = {"strides": [1, 2], "pads": [0, 1, 0, 0], "output_padding": [0, 1]}
    other = two("ConvTranspose", two("Unsqueeze", "x", two.ints(2)), given, **wide)
    return one.model(one("Mul", made, one.constant(scale))), two.model(two("Squeeze", other, two.ints(2)))


def tensor_products(r: Random) -> Pair:
    n, s, m = sizes(r, 3)
    one, two = Doubles(n, s, m), Doubles(n, s, m)
    number = float(r.normal())
    turned = one("Transpose", one("Sin", "x"), perm=[0, 2, 1])
    made = one("MatMul", one("Mul", "x", one.constant(number)), turned)
    other = two("MatMul", two("Sin", "x"), two("Transpose", "x", perm=[0, 2, 1]))
    return one.model(made), two.model(two("Mul", two("Transpose", other, perm=[0, 2, 1]), two.constant(number)))


def reductions(r: Random) -> Pair:
    n, c, h, w = sizes(r, 4)
    factor = r.normal(size=(c, 1, 1))
    one, two = Doubles(n, c, h, w), Doubles(n, c, h, w)
    made = two("Mul", two("ReduceSum", "x", two.ints(2, 3)), two.constant(factor / (h * w)))
    return one.model(one("GlobalAveragePool", one("Mul", "x", one.constant(factor)))), two.model(made)


def pooling(r: Random) -> Pair:
    return padded_pooling(r) if r.integers(2) else pooling_as_reduction(r)


def pooling_as_reduction(r: Random) -> Pair:
    n, c, h, w = sizes(r, 4)
    one, two = Doubles(n, c, h, w), Doubles(n, c, h, w)
    step = 2 if h > 2 else 1
    places = two("Slice", "x", two.ints(0, 0), two.ints(h, w), two.ints(2, 3), two.ints(step, 1))
    made = one(
        "AveragePool", one("MaxPool", "x", kernel_shape=[1, 1], strides=[step, 1]), kernel_shape=[-(-h // step), w]
    )
    return one.model(made), two.model(two("ReduceMean", places, two.ints(2, 3)))


def padded_pooling(r: Random) -> Pair:
    n, c, h, w = (size + 3 for size in sizes(r, 4))
    one, two = Doubles(n, c, h, w), Doubles(n, c, h, w)
    kernel, step, largest = int(r.integers(2, 4)), int(r.integers(1, 4)), bool(r.integers(2))
    how = {"kernel_shape": [kernel] * 2, "strides": [step] * 2}
    padded = one("Pad", one("Relu", "x"), one.ints(0, 0, 1, 1, 0, 0, 1, 1))
    if largest and r.integers(2):
        name = "x"
        for axis, size in ((2, h), (3, w)):
            ends = [two("Slice", name, two.ints(end), two.ints(end + 1), two.ints(axis)) for end in (0, size - 1)]
            name = two("Concat", ends[0], name, ends[1], axis=axis)
        return one.model(one("MaxPool", "x", pads=[1] * 4, **how)), two.model(two("MaxPool", name, **how))
    if largest:
        return one.model(one("MaxPool", padded, **how)), two.model(
            two("MaxPool", two("Relu", "x"), pads=[1] * 4, **how)
        )
    made = two("AveragePool", two("Relu", "x"), pads=[1] * 4, count_include_pad=1, **how)
    return one.model(one("AveragePool", padded, **how)), two.model(made)


def averages(r: Random) -> Pair:
    """A mean that leaves padding out, and one that counts zeros, times how many places of the window are there."""
    n, c, h, w = sizes(r, 4)
    one, two = Doubles(n, c, h + 3, w + 3), Doubles(n, c, h + 3, w + 3)
    step, pads = int(r.integers(1, 3)), [int(a) for a in r.integers(0, 2, 4)]
    pads[int(r.integers(4))] = 1
    how = {"kernel_shape": [3, 2], "strides": [step, step]}
    made = one("AveragePool", "x", pads=pads, **how)
    ones = np.pad(np.ones((h + 3, w + 3)), ((pads[0], pads[2]), (pads[1], pads[3])))
    there = np.array(
        [
            [ones[i : i + 3, j : j + 2].sum() for j in range(0, ones.shape[1] - 1, step)]
            for i in range(0, ones.shape[0] - 2, step)
        ]
    )
    padded = two("Pad", "x", two.ints(0, 0, *pads[:2], 0, 0, *pads[2:]))
    return one.model(made), two.model(two("Mul", two("AveragePool", padded, **how), two.constant(6 / there)))


def softmaxes(r: Random) -> Pair:
    n, c, h = sizes(r, 3)
    one, two = Doubles(n, c, h), Doubles(n, c, h)
    turned = two("Softmax", two("Transpose", "x", perm=[0, 2, 1]), axis=2)
    return one.model(one("Softmax", "x", axis=1)), two.model(two("Transpose", turned, perm=[0, 2, 1]))


def joining(r: Random) -> Pair:
    n, c = sizes(r, 2)
    one, two = Doubles(n, c), Doubles(n, c)
    ends = (one.constant(np.full((n, size), 0.5)) for size in (2, 1))
    front, back = ends
    return one.model(one("Concat", front, "x", back, axis=1)), two.model(
        two("Pad", "x", two.ints(0, 2, 0, 1), two.constant(0.5))
    )


def split_and_joined(r: Random) -> Pair:
    """All places of a tensor, some alone and some beside each other, and joined to them what is joined of others."""
    n, c = sizes(r, 2)
    one, two = Doubles(n, c, 3), Doubles(n, c, 3)
    ends = sorted({0, *(int(end) for end in r.integers(0, c + 1, 2)), c})
    parts = [one("Slice", "x", one.ints(start), one.ints(end), one.ints(1)) for start, end in pairwise(ends)]
    whole = one("Concat", *parts, axis=1)
    turned = two("Transpose", two("Concat", "x", two("Tanh", "x"), axis=1), perm=[1, 0, 2])
    return one.model(one("Concat", whole, one("Tanh", "x"), axis=1)), two.model(
        two("Transpose", turned, perm=[1, 0, 2])
    )


def several_joined(r: Random) -> Pair:
    """Parts of which one holds the joined axis as two."""
    n, c, h = sizes(r, 3)
    one, two = Doubles(n, c * h, 3), Doubles(n, c * h, 3)
    turned = one("Transpose", one("Reshape", "x", one.ints(n, c, h, 3)), perm=[0, 2, 1, 3])
    joined = one("Concat", one("Reshape", turned, one.ints(n, h * c, 3)), one("Sin", "x"), axis=1)
    last = two("Transpose", two("Reshape", "x", two.ints(n, c, h, 3)), perm=[3, 0, 2, 1])
    flat = two("Reshape", last, two.ints(3, n, h * c))
    made = two("Concat", flat, two("Transpose", two("Sin", "x"), perm=[2, 0, 1]), axis=-1)
    return one.model(joined), two.model(two("Transpose", made, perm=[1, 2, 0]))


def groups(r: Random) -> Pair:
    """Groups of some channels, which make some, with offsets of their own or behind them all; the input padded before or by each."""
    n, c, k, h = sizes(r, 4)
    count, own, behind = int(r.integers(2, 5)), int(r.integers(1, c)), bool(r.integers(2))
    one, two = Doubles(n, own * count, h + 3, h + 2), Doubles(n, own * count, h + 3, h + 2)
    weights, bias = r.normal(size=(k * count, own, 3, 2)), r.normal(size=k * count)
    pads, strides = [int(a) for a in r.integers(0, 2, 4)], [int(a) for a in r.integers(1, 3, 2)]
    made = one("Conv", "x", one.constant(weights), one.constant(bias), group=count, pads=pads, strides=strides)
    before = bool(r.integers(2))
    x = two("Pad", "x", two.ints(0, 0, *pads[:2], 0, 0, *pads[2:]), two.constant(0.0)) if before else "x"
    how = {"strides": strides} if before else {"strides": strides, "pads": pads}
    parts = []
    for group, (w, b) in enumerate(zip(np.split(weights, count), np.split(bias, count), strict=True)):
        channels = two("Slice", x, two.ints(group * own), two.ints((group + 1) * own), two.ints(1))
        parts.append(two("Conv", channels, two.constant(w), *([] if behind else [two.constant(b)]), **how))
    joined = two("Concat", *parts, axis=1)
    return one.model(made), two.model(two("Add", joined, two.constant(bias.reshape(-1, 1, 1))) if behind else joined)


def group_products(r: Random) -> Pair:
    """Windows of one place, behind a factor and an offset; or each channel alone, which is a factor."""
    n, c, k, h = sizes(r, 4)
    count = int(r.integers(2, 5))
    one, two = Doubles(n, c * count, h), Doubles(n, c * count, h)
    if r.integers(2):
        factor = r.normal(size=(c * count, 1))
        made = one("Conv", "x", one.constant(factor[:, :, None]), group=c * count)
        return one.model(made), two.model(two("Mul", "x", two.constant(factor)))
    weights, s, t = r.normal(size=(k * count, c, 1)), r.normal(size=(c * count, 1)), r.normal(size=(c * count, 1))
    given = one("Add", one("Mul", "x", one.constant(s)), one.constant(t))
    scaled = weights * s.reshape(count, 1, c, 1).repeat(k, 1).reshape(k * count, c, 1)
    bias = (weights[:, :, 0] * t.reshape(count, 1, c).repeat(k, 1).reshape(k * count, c)).sum(1)
    parts = [
        two(
            "Gemm",
            two("Reshape", two("Transpose", channels, perm=[0, 2, 1]), two.ints(n * h, c)),
            two.constant(w[:, :, 0].T),
            two.constant(b),
        )
        for channels, w, b in zip(
            two("Split", "x", two.ints(*[c] * count), outputs=count, axis=1),
            np.split(scaled, count),
            np.split(bias, count),
            strict=True,
        )
    ]
    joined = two("Reshape", two("Concat", *parts, axis=1), two.ints(n, h, k * count))
    return one.model(one("Conv", given, one.constant(weights), group=count)), two.model(
        two("Transpose", joined, perm=[0, 2, 1])
    )


def blocks(r: Random) -> Pair:
    """Weights with zeros between groups, which are in groups already, or dense; in windows of some places or of one."""
    n, c, k, h = sizes(r, 4)
    count, more = int(r.integers(2, 4)), int(r.integers(1, 3))
    weights = r.normal(size=(k * count * more, c, int(r.integers(1, 3))))
    wide = np.zeros((len(weights), c * more, weights.shape[2]))
    for row, own in enumerate(weights):
        place = row // k % more
        wide[row, place * c : (place + 1) * c] = own
    one, two = Doubles(n, c * count * more, h), Doubles(n, c * count * more, h)
    first = one("Conv", "x", one.constant(weights), group=count * more)
    return one.model(first), two.model(two("Conv", "x", two.constant(wide), group=count))


def reordered(r: Random) -> Pair:
    """Rows and columns of the channels turned around, and each scaled."""
    n, c, k = sizes(r, 3)
    one, two = Doubles(n, c * k, 4), Doubles(n, c * k, 4)
    order, scale = np.arange(c * k).reshape(c, k).T.reshape(-1), r.normal(size=(c * k, 1))
    matrix = np.eye(c * k)[order] * scale
    turned = two("Transpose", two("Reshape", "x", two.ints(n, c, k, 4)), perm=[0, 2, 1, 3])
    flat = two("Reshape", turned, two.ints(n, c * k, 4))
    made = two(
        "Mul", flat if r.integers(2) else two("Gather", "x", two.constant(order, np.int64), axis=1), two.constant(scale)
    )
    return one.model(one("Conv", "x", one.constant(matrix[:, :, None]))), two.model(made)


def maps_of_what_is_joined(r: Random) -> Pair:
    """Channels scaled and shifted apart and joined, or joined and scaled and shifted at once; reshaped before, in one place."""
    n, c, h = sizes(r, 3)
    one, two = Doubles(n, c, 2 * h), Doubles(n, c, 2 * h)
    s, b = r.normal(size=(c, 1)), r.normal(size=(1, 2 * h))
    if r.integers(2):
        picked = [
            one("Unsqueeze", one("Gather", "x", one.constant(channel, np.int64), axis=1), one.ints(1))
            for channel in range(c)
        ]
        apart = [
            one("Add", one("Mul", part, one.constant(s[k : k + 1])), one.constant(b)) for k, part in enumerate(picked)
        ]
        channels = [two("Slice", "x", two.ints(k), two.ints(k + 1), two.ints(1)) for k in range(c)]
        whole = two("Add", two("Mul", two("Concat", *channels, axis=1), two.constant(s)), two.constant(b))
        return one.model(one("Concat", *apart, axis=1)), two.model(whole)
    t, form = r.normal(size=(c, 1)), (n, c, h, 2)
    apart = [
        one("Add", one("Mul", one("Sin", "x"), one.constant(s)), one.constant(b)),
        one("Mul", one("Exp", "x"), one.constant(t)),
    ]
    made = one("Concat", *(one("Reshape", part, one.ints(*form)) for part in apart), axis=1)
    both = two("Concat", *(two("Reshape", two(name, "x"), two.ints(*form)) for name in ("Sin", "Exp")), axis=1)
    factor, offset = (
        np.concatenate([s, t]).reshape(-1, 1, 1),
        np.concatenate([np.tile(b, (c, 1)), np.zeros((c, 2 * h))]),
    )
    return one.model(made), two.model(
        two("Add", two("Mul", both, two.constant(factor)), two.constant(offset.reshape(-1, h, 2)))
    )


def joined_of_joined(r: Random) -> Pair:
    n, c = sizes(r, 2)
    one, two = Doubles(n, c), Doubles(n, c)
    parts = [one(name, "x") for name in ("Sin", "Tanh", "Exp")]
    inner = one("Concat", *parts[:2], axis=1) if r.integers(2) else one("Concat", *parts[:2], axis=-1)
    turned = [two("Transpose", two(name, "x"), perm=[1, 0]) for name in ("Sin", "Tanh", "Exp")]
    whole = two("Transpose", two("Concat", *turned, axis=0), perm=[1, 0])
    return one.model(one("Concat", inner, parts[2], axis=1)), two.model(whole)


def places(r: Random) -> Pair:
    return (places_across, place, points, places_in_a_grid, elements_in_batches)[r.integers(5)](r)


def points(r: Random) -> Pair:
    """GatherND by a grid: some rows from the end, one place, and every other column, in an order of axes of the grid's own."""
    n, c, h = (size + 2 for size in sizes(r, 3))
    one, two = Doubles(n, c, h), Doubles(n, c, h)
    rows, columns, at = np.arange(n)[1:] - n, np.arange(h)[::2], int(r.integers(c))
    grid = np.zeros((len(columns), 1, len(rows), 3), np.int64)
    grid[..., 0], grid[..., 1], grid[..., 2] = rows, at, columns[:, None, None]
    made = two(
        "Gather",
        two("Slice", "x", two.ints(1, 0), two.ints(n, h), two.ints(0, 2), two.ints(1, 2)),
        two.constant(at, np.int64),
        axis=1,
    )
    return one.model(one("GatherND", "x", one.constant(grid, np.int64))), two.model(
        two("Unsqueeze", two("Transpose", made, perm=[1, 0]), two.ints(1))
    )


def elements_in_batches(r: Random) -> Pair:
    n, m = sizes(r, 2)
    made = []
    for one in (True, False):
        b = Doubles(n, m)
        index = b("Mod", b("Cast", b("Mul", "x", b.constant(5.0)), to=TensorProto.INT64), b.constant(m, np.int64))
        found = (
            b("GatherElements", "x", index, axis=1)
            if one
            else b("GatherND", "x", b("Unsqueeze", index, b.ints(-1)), batch_dims=1)
        )
        made.append(b.model(found))
    return made[0], made[1]


def places_in_a_grid(r: Random) -> Pair:
    n, c = (size + 1 for size in sizes(r, 2))
    one, two = Doubles(n, c), Doubles(n, c)
    made = two("Unsqueeze", two("Slice", "x", two.ints(1), two.ints(c), two.ints(1)), two.ints(1, 3))
    return one.model(one("Gather", "x", one.constant(np.arange(1, c).reshape(1, -1, 1), np.int64), axis=1)), two.model(
        made
    )


def places_across(r: Random) -> Pair:
    n, c, h, w = (size + 1 for size in sizes(r, 4))
    one, two = Doubles(n, c, h, w), Doubles(n, c, h, w)
    start, end = 1, h * w - 1
    merged = one("Reshape", one("Transpose", "x", perm=[0, 1, 3, 2]), one.ints(n, c, h * w))
    turned = two("Reshape", two("Transpose", "x", perm=[0, 3, 2, 1]), two.ints(n, h * w, c))
    made = two("Slice", turned, two.ints(start - h * w), two.ints(-1), two.ints(1))
    source = one.model(one("Slice", merged, one.ints(start), one.ints(end), one.ints(2)))
    return source, two.model(two("Transpose", made, perm=[0, 2, 1]))


def place(r: Random) -> Pair:
    n, c = sizes(r, 2)
    one, two = Doubles(n, c), Doubles(n, c)
    made = two("Squeeze", two("Slice", "x", two.ints(c - 1), two.ints(c), two.ints(1)), two.ints(1))
    return one.model(one("Gather", "x", one.constant(-1, np.int64), axis=1)), two.model(made)


def padding(r: Random) -> Pair:
    n, c = sizes(r, 2)
    one, two = Doubles(n, c), Doubles(n, c)
    turned = two("Pad", two("Transpose", "x", perm=[1, 0]), two.ints(1, 0, 2, 0), two.constant(0.5))
    padded = one("Pad", "x", one.ints(0, 1, 0, 2), one.constant(0.5))
    return one.model(padded), two.model(two("Transpose", turned, perm=[1, 0]))


def choice(r: Random) -> Pair:
    n, c = sizes(r, 2)
    one, two = Doubles(n, c), Doubles(n, c)
    turned = two("Transpose", "x", perm=[1, 0])
    made = two("Where", two("Greater", turned, two.constant(0.0)), turned, two("Exp", turned))
    first = one("Where", one("Greater", "x", one.constant(0.0)), "x", one("Exp", "x"))
    return one.model(first), two.model(two("Transpose", made, perm=[1, 0]))


def odd(r: Random) -> Pair:
    n, c = sizes(r, 2)
    one, two = Doubles(n, c), Doubles(n, c)
    number = float(r.uniform(0.5, 2))
    weights, bias = r.normal(size=(c, c)) * number, r.normal(size=c)  # a number alone, or weights and a bias
    if r.random() < 0.5:
        ours, theirs = one("Mul", "x", one.constant(-number)), two("Mul", "x", two.constant(number))
    else:
        ours = one("Add", one("MatMul", "x", one.constant(-weights)), one.constant(-bias))
        theirs = two("Add", two("MatMul", "x", two.constant(weights)), two.constant(bias))
    made = one("Sub", one.constant(1.0), one("Erf", ours))
    other = two("Add", two("Erf", theirs), two.constant(1.0))
    return one.model(made), two.model(other)


def moves(r: Random) -> Pair:
    n, c, h, w = sizes(r, 4)
    one, two = Doubles(n, 4 * c, h, w), Doubles(n, 4 * c, h, w)
    deep = two("SpaceToDepth", two("DepthToSpace", "x", blocksize=2, mode="DCR"), blocksize=2)
    return one.model(one("Exp", "x")), two.model(two("Exp", deep))


def broadcasting(r: Random) -> Pair:
    n, c = sizes(r, 2)
    gamma = r.normal(size=c)
    one, two = Doubles(n, 1), Doubles(n, 1)
    made = one("Mul", one("Exp", "x"), one.constant(gamma))
    return one.model(made), two.model(two("Mul", two("Exp", two("Expand", "x", two.ints(n, c))), two.constant(gamma)))


def on_pairs(r: Random) -> Pair:
    n, c = sizes(r, 2)
    one, two = Doubles(n, c), Doubles(n, c)
    turned = two("Transpose", "x", perm=[1, 0])
    return one.model(one("Max", "x", one("Sin", "x"))), two.model(
        two("Transpose", two("Max", two("Sin", turned), turned), perm=[1, 0])
    )


def letters(r: Random) -> Pair:
    n, s, m, k = sizes(r, 4)
    w = r.normal(size=(m, k, 2))
    one, two = Doubles(n, s, m), Doubles(n, s, m)
    inner = one("Einsum", "x", one.constant(w), equation="nsm,mkh->nhsk")
    made = one("Einsum", inner, one("Exp", inner), equation="nhsk,nhtk->nhst")
    flat = two("Reshape", two("MatMul", "x", two.constant(w.reshape(m, -1))), two.ints(n, s, k, 2))
    moved = two("Transpose", flat, perm=[0, 3, 1, 2])
    turned = two("Transpose", two("Exp", moved), perm=[0, 1, 3, 2])
    return one.model(made), two.model(two("MatMul", moved, turned))


def recurrence(r: Random) -> Pair:
    s, n, m, h = sizes(r, 4)
    weights, own, b = r.normal(size=(1, 4 * h, m)), r.normal(size=(1, 4 * h, h)), r.normal(size=(2, 4 * h))
    one, two = Doubles(s, n, m), Doubles(s, n, m)

    def made(g: Doubles, biases: np.ndarray) -> onnx.ModelProto:
        given = (g.constant(array) for array in (weights, own, biases.reshape(1, -1)))
        return g.model(g("LSTM", "x", *given, hidden_size=h))

    return made(one, b), made(two, np.stack([b.sum(0), 0 * b[0]]))


def the_same(r: Random) -> Pair:
    n, c = sizes(r, 2)
    one, two = Doubles(n, c), Doubles(n, c)
    turned = two("Transpose", two("Sinh", two("Transpose", "x", perm=[1, 0])), perm=[1, 0])
    return one.model(one("CumSum", one("Sinh", "x"), one.constant(1, np.int64))), two.model(
        two("CumSum", turned, two.constant(1, np.int64))
    )


def steps(r: Random) -> Pair:
    count, n, m, h = sizes(r, 4)
    w = drawn("LSTM", r, m, h)
    one, two = Doubles(count, n, m), Doubles(count, n, m)
    last = one("Squeeze", operator(one, "x", [w])[1], one.ints(0))
    return one.model(last), two.model(body(two, "x", w, True, False, count)[-1])


def inward(r: Random) -> Pair:
    n, m, h = sizes(r, 3)
    w, v, b = r.normal(size=(m, 2 * h)), r.normal(size=(2, h)), r.normal(size=2 * h)
    one, two = Doubles(n, 2, m), Doubles(n, 2, m)
    made = one("Sigmoid", one("Add", one("MatMul", "x", one.constant(w)), one.constant(b)))
    halves = one("Split", made, one.ints(h, h), outputs=2, axis=2)
    both = one("Add", one("Mul", halves[0], one("Mul", halves[1], one.constant(v))), halves[0])
    first = one("Slice", both, one.ints(1), one.ints(2), one.ints(1))
    row = two("Slice", "x", two.ints(1), two.ints(2), two.ints(1))
    ends = [
        two("Sigmoid", two("Add", two("MatMul", row, two.constant(w[:, half])), two.constant(b[half])))
        for half in (slice(0, h), slice(h, 2 * h))
    ]
    other = two("Add", two("Mul", two("Mul", *ends), two.constant(v[1])), ends[0])
    return one.model(first), two.model(other)


def mixed(r: Random) -> Pair:
    n, m = sizes(r, 2)
    one, two = Doubles(n, m), Doubles(n, m)
    gate, a, b = (one(name, "x") for name in ("Sigmoid", "Sin", "Exp"))
    made = one("Add", one("Mul", gate, a), one("Mul", one("Sub", one.constant(1.0), gate), b))
    gate, a, b = (two(name, "x") for name in ("Sigmoid", "Sin", "Exp"))
    return one.model(made), two.model(two("Add", b, two("Mul", gate, two("Sub", a, b))))


def rows_from_the_end(r: Random) -> Pair:
    n, m = sizes(r, 2)
    one, two = Doubles(n, m), Doubles(n, m)
    table, order = r.normal(size=(40, 3)), r.permutation(2)
    index = one("Cast", "x", to=onnx.TensorProto.INT64)
    raised = one("Add", *np.asarray([index, one.constant(40, np.int64)])[order].tolist())
    made = one("Where", one("Less", index, one.constant(0, np.int64)), raised, index)
    plain = two("Gather", two.constant(table), two("Cast", "x", to=onnx.TensorProto.INT64), axis=0)
    return one.model(one("Gather", one.constant(table), made, axis=0)), two.model(plain)


def casts(r: Random) -> Pair:
    n, m = sizes(r, 2)
    one, two = Doubles(n, m), Doubles(n, m)
    two.opset = 19
    kind = int(r.choice([onnx.TensorProto.INT32, onnx.TensorProto.FLOAT16, onnx.TensorProto.BOOL]))
    made = [b("Cast", b("Cast", b("Floor", "x"), to=kind), to=onnx.TensorProto.DOUBLE) for b in (one, two)]
    return one.model(made[0]), two.model(made[1])


def truths(r: Random) -> Pair:
    n, m = sizes(r, 2)
    one, two = Doubles(n, m), Doubles(n, m)
    number, whole = one("Floor", "x"), two("Floor", "x")
    operands = [whole, two.constant(0.0)]
    made = two("Not", two("Equal", *(operands if r.integers(2) else operands[::-1])))
    return one.model(one("Cast", one("Cast", number, to=TensorProto.BOOL), to=TensorProto.DOUBLE)), two.model(
        two("Cast", made, to=TensorProto.DOUBLE)
    )


def drawn_out(r: Random) -> Pair:
    n, c = sizes(r, 2)
    one, two = Doubles(n, 1, c), Doubles(n, 1, c)
    return one.model(one("Tile", "x", one.ints(1, 3, 1))), two.model(two("Expand", "x", two.ints(n, 3, c)))


def elements_from_the_end(r: Random) -> Pair:
    n, m = sizes(r, 2)
    one, two = Doubles(n, m), Doubles(n, m)
    made = []
    for b in (one, two):
        index = b(
            "Mod", b("Cast", b("Mul", "x", b.constant(5.0)), to=TensorProto.INT64), b.constant(m, np.int64), fmod=1
        )
        raised = b("Where", b("Less", index, b.constant(0, np.int64)), b("Add", index, b.constant(m, np.int64)), index)
        made.append(b.model(b("GatherElements", "x", raised if b is one else index, axis=1)))
    return made[0], made[1]


def neutral(r: Random) -> Pair:
    n, m = sizes(r, 2)
    operator, number, first = [
        ("Add", 0, False), ("Add", 0, True), ("Sub", 0, False), ("Mul", 1, True), ("Div", 1, False), ("And", True, True), ("Or", False, False),
    ][r.integers(7)]  # fmt: skip
    kind = TensorProto.BOOL if isinstance(number, bool) else TensorProto.INT64
    one, two = Doubles(n, m), Doubles(n, m)
    given = one("Cast", "x", to=kind)
    constant = one.constant(np.full((3, 1, m), number), bool if kind == TensorProto.BOOL else np.int64)
    made = one(operator, *((constant, given) if first else (given, constant)))
    drawn = two("Expand", two("Cast", "x", to=kind), two.ints(3, n, m))
    return one.model(one("Cast", made, to=TensorProto.DOUBLE)), two.model(two("Cast", drawn, to=TensorProto.DOUBLE))


CASES: dict[str, Callable[[Random], Pair]] = {
    "affine maps compose": affine_maps,
    "a factor goes into weights": folded,
    "sums": common_factor,
    "products": products,
    "batch normalization": batch_normalization,
    "normalization of samples": layer_normalization,
    "clips": clips,
    "activations spelled out": activations,
    "products with a matrix": matrix,
    "convolutions": convolutions,
    "products of tensors": tensor_products,
    "transposed convolutions": transposed,
    "reductions over whole axes": reductions,
    "pooling in windows": pooling,
    "means of what is there": averages,
    "softmax along an axis": softmaxes,
    "concatenation along an axis": lambda r: (joining, joined_of_joined, split_and_joined, several_joined)[
        r.integers(4)
    ](r),
    "convolutions of groups": groups,
    "products of groups": lambda r: (group_products, blocks)[r.integers(2)](r),
    "shuffles": reordered,
    "places along an axis": places,
    "padding of axes": padding,
    "choice by element": choice,
    "moves of elements": moves,
    "odd functions": odd,
    "broadcasting": lambda r: (broadcasting, drawn_out)[r.integers(2)](r),
    "operators on pairs": on_pairs,
    "sums over letters": letters,
    "recurrent layers": recurrence,
    "the same operator": the_same,
    "recurrent layers step by step": steps,
    "places of what is computed": inward,
    "mixtures": mixed,
    "rows from the end": lambda r: (rows_from_the_end, elements_from_the_end)[r.integers(2)](r),
    "casts": lambda r: (casts, truths)[r.integers(2)](r),
    "neutral elements": neutral,
    "affine maps of what is joined": maps_of_what_is_joined,
}


ROUNDED = {"activations spelled out"}
"""The evaluator's Gelu has a constant of float32."""


def test_every_axiom_has_a_case() -> None:
    assert {axiom.name for axiom in AXIOMS} == CASES.keys()


@pytest.mark.parametrize("name", list(CASES))
def test_what_is_one_term_is_one_function(name: str) -> None:
    for seed in range(8):
        source, target = CASES[name](np.random.default_rng(seed))
        found = prove(source, target, contract())
        assert found.proven, (seed, found.unproven)
        assert name in found.axioms
        shape = [d.dim_value for d in source.graph.input[0].type.tensor_type.shape.dim]
        x = 2 * np.random.default_rng(seed + 100).normal(size=shape)
        one, two = (ReferenceEvaluator(model).run(None, {"x": x})[0] for model in (source, target))
        np.testing.assert_allclose(one, two, rtol=1e-9 if name not in ROUNDED else 1e-7, atol=1e-12)
