"""Convolutions in groups said as one for each, shuffles of channels said as products, and pooling with padding joined to it: the same function, and what is close to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnx
import onnxruntime
import pytest

from safeconvert.prove.prover import prove
from tests.prove.graphs import Array, Builder, contract, numbers

Pair = tuple[onnx.ModelProto, onnx.ModelProto]
LAST = (0, 2, 3, 1)
IMAGE: list[int | str] = ["n", 8, 6, 6]
WINDOW = {"pads": [1, 1, 1, 1], "strides": [2, 2]}


def grouped(weights: Array, bias: Array | None, **attributes: object) -> onnx.ModelProto:
    b = Builder(IMAGE)
    group = 8 // weights.shape[1]
    given = [b.constant(array) for array in (weights, bias) if array is not None]
    return b.model(b("Relu", b("Conv", "x", *given, group=group, **(WINDOW | attributes))))


class Apart(Builder):
    """One convolution for each group of channels, channels last, as converters write it for frameworks that have none in groups."""

    def __init__(self, pad: float | None = 0.0) -> None:
        super().__init__(["n", 6, 6, 8])
        self.padded = "x" if pad is None else self("Pad", "x", self.ints(0, 1, 1, 0, 0, 1, 1, 0), self.constant(pad))

    def split(self, *sizes: int) -> list[str]:
        return list(self("Split", self.padded, self.ints(*sizes), outputs=len(sizes), axis=3))

    def convolved(self, x: str, weights: Array, bias: Array | None = None, **attributes: object) -> str:
        first = self("Transpose", x, perm=[0, 3, 1, 2])
        given = {"strides": [2, 2], **attributes}
        made = self("Transpose", self("Conv", first, self.constant(weights), **given), perm=[0, 2, 3, 1])
        return str(made if bias is None else self("Add", made, self.constant(bias)))

    def end(self, parts: Sequence[str], bias: Array | None = None) -> onnx.ModelProto:
        made = self("Concat", *parts, axis=3)
        return self.model(self("Relu", made if bias is None else self("Add", made, self.constant(bias))))


W, B = numbers((12, 2, 3, 3), 1), numbers((12,), 2)
PARTS, BIASES = np.split(W, 4), np.split(B, 4)


def each(order: Sequence[int] = range(4), **attributes: object) -> onnx.ModelProto:
    b = Apart()
    made = [
        b.convolved(x, w, bias, **attributes) for x, w, bias in zip(b.split(2, 2, 2, 2), PARTS, BIASES, strict=True)
    ]
    return b.end([made[number] for number in order])


def biased_behind() -> Pair:
    b = Apart()
    return grouped(W, B), b.end([b.convolved(x, w) for x, w in zip(b.split(2, 2, 2, 2), PARTS, strict=True)], B)


def groups_of_groups() -> Pair:
    """Two groups, each in two groups again."""
    b = Apart()
    made = [b.convolved(x, w, group=2) for x, w in zip(b.split(4, 4), np.split(W, 2), strict=True)]
    return grouped(W, None), b.end(made)


def single_channels() -> Pair:
    w = numbers((8, 1, 3, 3), 1)
    b = Apart()
    return grouped(w, None), b.end(
        [b.convolved(x, one) for x, one in zip(b.split(*[1] * 8), np.split(w, 8), strict=True)]
    )


def padded_one_by_one() -> Pair:
    b = Apart(None)
    made = [
        b.convolved(b("Pad", x, b.ints(0, 1, 1, 0, 0, 1, 1, 0)), w)
        for x, w in zip(b.split(2, 2, 2, 2), PARTS, strict=True)
    ]
    return grouped(W, None), b.end(made)


def parts_of_another_shape() -> Pair:
    """Groups as places along an axis of their own."""
    b = Apart()
    apart = b("Reshape", b.padded, b.ints(0, 0, 0, 4, 2))
    made = [b.convolved(b("Gather", apart, b.constant(n, np.int64), axis=3), w) for n, w in enumerate(PARTS)]
    return grouped(W, None), b.end(made)


def folded_into_one_group() -> Pair:
    """A factor behind the source's, and in the weights of each group of the target's."""
    factor = numbers((12,), 3)
    a, b = Builder(IMAGE), Apart()
    conv = a("Conv", "x", a.constant(W), group=4, **WINDOW)
    scaled = np.split(W * factor[:, None, None, None], 4)
    one = a.model(a("Relu", a("Mul", conv, a.constant(factor.reshape(12, 1, 1)))))
    return one, b.end([b.convolved(x, w) for x, w in zip(b.split(2, 2, 2, 2), scaled, strict=True)])


def dense(weights: Array, between: float = 0.0) -> Array:
    """Weights of one group, with a number wherever they read another group's channels."""
    made = np.full((len(weights), 8, *weights.shape[2:]), between, np.float32)
    own, each = weights.shape[1], len(weights) * weights.shape[1] // 8
    for n, row in enumerate(weights):
        made[n, n // each * own : (n // each + 1) * own] = row
    return made


def zeros_between_groups(between: float = 0.0) -> Pair:
    b = Apart()
    return grouped(W, B), b.end([b.convolved(b.padded, dense(W, between), B)])


def zeros_between_groups_of_one_place(between: float = 0.0) -> Pair:
    w = numbers((16, 2, 1, 1), 1)
    b = Apart(None)
    made = b("MatMul", "x", b.constant(dense(w, between)[:, :, 0, 0].T))
    return grouped(w, None, strides=[1, 1], pads=[0] * 4), b.end([made])


def numbers_between_groups() -> Pair:
    return zeros_between_groups(1e-3)


def numbers_between_groups_of_one_place() -> Pair:
    return zeros_between_groups_of_one_place(1e-3)


def shuffled_into_groups(place: int = 1) -> Pair:
    """Channels of a convolution in groups that were shuffled before, and the same as a dense one; a window of one place."""
    w = numbers((8, 2, 1, 1), 1)
    a, b = Builder(IMAGE), Builder(IMAGE)
    for builder in (a, b):
        apart = builder("Reshape", "x", builder.ints(0, 2, 4, 6, 6))
        turned = builder("Transpose", apart, perm=[0, 2, 1, 3, 4])
        flat = builder("Reshape", turned, builder.ints(0, 8, 6, 6))
        given = builder.constant(w if builder is a else np.roll(dense(w), place - 1, 1))
        last = builder("Conv", flat, given, group=4 if builder is a else 1)
    made = a.model(a.nodes[-1].output[0])
    return made, b.model(last)


def shuffled_into_other_groups() -> Pair:
    return shuffled_into_groups(3)


def of_one_place() -> Pair:
    w = numbers((12, 2, 1, 1), 1)
    b = Apart(None)
    made = [b.convolved(x, one, strides=[1, 1]) for x, one in zip(b.split(2, 2, 2, 2), np.split(w, 4), strict=True)]
    return grouped(w, B, strides=[1, 1], pads=[0] * 4), b.end(made, B)


def single_channels_of_one_place() -> Pair:
    w = numbers((16, 1, 1, 1), 1)
    b = Apart(None)
    made = [b.convolved(x, one, strides=[1, 1]) for x, one in zip(b.split(*[1] * 8), np.split(w, 8), strict=True)]
    return grouped(w, None, strides=[1, 1], pads=[0] * 4), b.end(made)


RIGHT: tuple[Callable[[], Pair], ...] = (
    biased_behind, groups_of_groups, single_channels, padded_one_by_one, parts_of_another_shape, folded_into_one_group,
    of_one_place, single_channels_of_one_place, zeros_between_groups, zeros_between_groups_of_one_place, shuffled_into_groups,
)  # fmt: skip


def joined_in_another_order() -> Pair:
    return grouped(W, B), each((1, 0, 2, 3))


def taken_in_another_order() -> Pair:
    b = Apart()
    parts = b.split(2, 2, 2, 2)
    return grouped(W, B), b.end(
        [b.convolved(parts[n], w, c) for n, w, c in zip((0, 2, 1, 3), PARTS, BIASES, strict=True)]
    )


def one_group_read_twice() -> Pair:
    b = Apart()
    parts = b.split(2, 2, 2, 2)
    return grouped(W, B), b.end(
        [b.convolved(parts[n], w, c) for n, w, c in zip((0, 1, 2, 2), PARTS, BIASES, strict=True)]
    )


def weights_of_another_group() -> Pair:
    b = Apart()
    given = zip(b.split(2, 2, 2, 2), (PARTS[n] for n in (0, 1, 3, 2)), BIASES, strict=True)
    return grouped(W, B), b.end([b.convolved(x, w, c) for x, w, c in given])


def offsets_of_another_group() -> Pair:
    b = Apart()
    given = zip(b.split(2, 2, 2, 2), PARTS, (BIASES[n] for n in (0, 1, 3, 2)), strict=True)
    return grouped(W, B), b.end([b.convolved(x, w, c) for x, w, c in given])


def every_fourth_channel() -> Pair:
    b = Apart()
    parts = [b("Slice", b.padded, b.ints(n), b.ints(8), b.ints(3), b.ints(4)) for n in range(4)]
    return grouped(W, B), b.end([b.convolved(x, w, c) for x, w, c in zip(parts, PARTS, BIASES, strict=True)])


def channels_that_overlap() -> Pair:
    b = Apart()
    parts = [b("Slice", b.padded, b.ints(n), b.ints(n + 2), b.ints(3)) for n in (0, 1, 4, 6)]
    return grouped(W, B), b.end([b.convolved(x, w, c) for x, w, c in zip(parts, PARTS, BIASES, strict=True)])


def padded_with_a_number() -> Pair:
    b = Apart(0.25)
    return grouped(W, None), b.end([b.convolved(x, w) for x, w in zip(b.split(2, 2, 2, 2), PARTS, strict=True)])


def one_group_padded_at_the_end() -> Pair:
    b = Apart(None)
    pads = [[1, 1, 1, 1]] * 3 + [[0, 0, 2, 2]]
    given = zip(b.split(2, 2, 2, 2), PARTS, pads, strict=True)
    return grouped(W, None), b.end([b.convolved(x, w, pads=one) for x, w, one in given])


def groups_that_make_more_and_fewer() -> Pair:
    """Of the same weights, in the same order, the first group has fewer."""
    w = numbers((4, 4, 3, 3), 1)
    b = Apart()
    return grouped(w, None), b.end(
        [b.convolved(x, some) for x, some in zip(b.split(4, 4), np.split(w, [1]), strict=True)]
    )


def offsets_of_one_place_of_another_group() -> Pair:
    source, _ = of_one_place()
    b = Apart(None)
    w = np.split(numbers((12, 2, 1, 1), 1), 4)
    made = [
        b.convolved(x, one, c, strides=[1, 1])
        for x, one, c in zip(b.split(2, 2, 2, 2), w, (BIASES[n] for n in (1, 0, 2, 3)), strict=True)
    ]
    return source, b.end(made)


def joined_along_the_height() -> Pair:
    """As many numbers, and where the groups are as high as they are many, as many along each axis."""
    w = numbers((4, 4, 3, 3), 1)
    a, b = Builder([1, 8, 3, 4]), Builder([1, 8, 3, 4])
    one = a.model(a("Reshape", a("Conv", "x", a.constant(w), group=2), a.ints(1, 2, 2, 2)))
    parts = [
        b("Conv", x, b.constant(some))
        for x, some in zip(b("Split", "x", b.ints(4, 4), outputs=2, axis=1), np.split(w, 2), strict=True)
    ]
    return one, b.model(b("Concat", *parts, axis=2))


def groups_of_another_tensor() -> Pair:
    a, b = Builder(IMAGE), Builder(IMAGE)
    one = a.model(a("Conv", a("Sin", "x"), a.constant(W), group=4))
    parts = [
        b("Split", b(name, "x"), b.ints(2, 2, 2, 2), outputs=4, axis=1)[n]
        for n, name in enumerate(["Sin", "Sin", "Sin", "Cos"])
    ]
    return one, b.model(b("Concat", *(b("Conv", x, b.constant(w)) for x, w in zip(parts, PARTS, strict=True)), axis=1))


def shuffled(rows: int, size: int = 6) -> onnx.ModelProto:
    b = Builder(["n", size, 4, 5])
    apart = b("Reshape", "x", b.ints(0, rows, size // rows, 4, 5))
    return b.model(b("Reshape", b("Transpose", apart, perm=[0, 2, 1, 3, 4]), b.ints(0, size, 4, 5)))


def multiplied(matrix: Array) -> onnx.ModelProto:
    """Channels last: [in, out]."""
    b = Builder(["n", 4, 5, len(matrix)])
    return b.model(b("MatMul", "x", b.constant(matrix)))


def shuffle(rows: int, size: int = 6) -> Array:
    return np.eye(size, dtype=np.float32)[:, np.arange(size).reshape(rows, -1).T.reshape(-1)]


def shuffled_by_a_product() -> Pair:
    return shuffled(2), multiplied(shuffle(2))


def shuffled_channels_last(rows: int = 2) -> Pair:
    """By two axes the other way around; behind it something, so that tensors of five axes are cut points."""
    a, b = Builder(["n", 6, 4, 5]), Builder(["n", 4, 5, 6])
    apart = a("Relu", a("Reshape", "x", a.ints(0, 2, 3, 4, 5)))
    one = a.model(a("Reshape", a("Transpose", apart, perm=[0, 2, 1, 3, 4]), a.ints(0, 6, 4, 5)))
    cut = b("Relu", b("Reshape", "x", b.ints(0, 4, 5, rows, 6 // rows)))
    return one, b.model(b("Reshape", b("Transpose", cut, perm=[0, 1, 2, 4, 3]), b.ints(0, 4, 5, 6)))


def shuffled_back_channels_last() -> Pair:
    return shuffled_channels_last(3)


def shuffled_back() -> Pair:
    return shuffled(2), multiplied(shuffle(3))


def shuffled_and_one_more() -> Pair:
    return shuffled(2), multiplied(shuffle(2) + 1e-3 * np.eye(6, k=3, dtype=np.float32))


def shuffled_and_one_doubled() -> Pair:
    matrix = shuffle(2)
    matrix[0] *= 2
    return shuffled(2), multiplied(matrix)


def one_lost_and_one_twice() -> Pair:
    """As many numbers as rows and columns."""
    matrix = np.eye(6, dtype=np.float32)
    matrix[0, 0], matrix[0, 1] = 0, 0.5
    a = Builder(["n", 6, 4, 5])
    return a.model(a("Mul", "x", a.constant(np.float32([0, 1, 1, 1, 1, 1]).reshape(6, 1, 1)))), multiplied(matrix)


WRONG: tuple[Callable[[], Pair], ...] = (
    joined_in_another_order, taken_in_another_order, one_group_read_twice, weights_of_another_group, offsets_of_another_group, every_fourth_channel,
    channels_that_overlap, padded_with_a_number, one_group_padded_at_the_end, groups_that_make_more_and_fewer, offsets_of_one_place_of_another_group,
    numbers_between_groups, numbers_between_groups_of_one_place, shuffled_into_other_groups,
    joined_along_the_height,
    groups_of_another_tensor, shuffled_back, shuffled_back_channels_last, shuffled_and_one_more, shuffled_and_one_doubled, one_lost_and_one_twice,
)  # fmt: skip


def orders(pair: Pair) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """Of input and output, as the shapes of the inputs say."""
    one, two = ([d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim] for model in pair)
    return (None, None) if one == two else (LAST, LAST)


def apart(pair: Pair) -> float:
    """How far outputs are apart at most, on numbers."""
    source = pair[0]
    x = numbers([d.dim_value or 3 for d in source.graph.input[0].type.tensor_type.shape.dim], 5)
    order = orders(pair)[0]
    fed = (x, x if order is None else np.ascontiguousarray(x.transpose(order)))
    one, two = (
        onnxruntime.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": given})[
            0
        ]
        for m, given in zip(pair, fed, strict=True)
    )
    return float(np.abs((one if order is None else one.transpose(order)) - two).max())


@pytest.mark.parametrize(
    "pair", [lambda: (grouped(W, B), each()), *RIGHT, shuffled_by_a_product, shuffled_channels_last]
)
def test_the_same_function_is_proven(pair: Callable[[], Pair]) -> None:
    made = pair()
    assert apart(made) < 1e-4
    assert prove(*made, contract(*orders(made))).proven


@pytest.mark.parametrize("pair", WRONG, ids=[pair.__name__ for pair in WRONG])
def test_what_is_close_to_it_is_not_proven(pair: Callable[[], Pair]) -> None:
    made = pair()
    assert apart(made) > 1e-4, "this pair is right"
    assert not prove(*made, contract(*orders(made))).proven


def test_tensors_of_more_axes_than_the_output_are_cut_points() -> None:
    found = prove(*shuffled_channels_last(), contract(LAST, LAST))
    assert [len(step["source_axes"]) for step in found.document["steps"]] == [5, 5, 4]


def channels_that_pass_by(rows: int = 2) -> Pair:
    """Half of the channels is convolved, the other joined to it as it is, and all are shuffled, twice: as ShuffleNet does, channels first and last."""
    a, b = Builder(["n", 8, 4, 5]), Builder(["n", 4, 5, 8])
    x = y = "x"
    for seed in range(2):
        w = numbers((4, 4, 1, 1), seed)
        stays, goes = a("Split", x, a.ints(4, 4), outputs=2, axis=1)
        both = a("Concat", stays, a("Relu", a("Conv", goes, a.constant(w))), axis=1)
        turned = a("Transpose", a("Reshape", both, a.ints(0, 2, 4, 4, 5)), perm=[0, 2, 1, 3, 4])
        x = a("Reshape", turned, a.ints(0, 8, 4, 5))
        halves = [b("Slice", y, b.ints(4 * n), b.ints(4 * n + 4), b.ints(3)) for n in range(2)]
        made = b("Relu", b("MatMul", halves[1], b.constant(w[:, :, 0, 0].T)))
        y = b("MatMul", b("Concat", halves[0], made, axis=3), b.constant(shuffle(rows, 8)))
    return a.model(x), b.model(y)


def test_channels_that_pass_by_are_proven() -> None:
    right, wrong = channels_that_pass_by(), channels_that_pass_by(4)
    assert apart(right) < 1e-4 < apart(wrong)
    assert prove(*right, contract(LAST, LAST)).proven
    assert not prove(*wrong, contract(LAST, LAST)).proven


def test_what_comes_to_something_known_is_not_where_a_proof_ends() -> None:
    """Pad, Split and the convolutions of the groups are no terms of the source, and what is joined of them is."""
    source, target = grouped(W, B), each()
    source.graph.node[-2].op_type = "Sigmoid"
    target.graph.node[-2].op_type = "Tanh"
    [ended] = prove(source, target, contract(LAST, LAST)).unproven
    assert ended.operator == "Tanh"
