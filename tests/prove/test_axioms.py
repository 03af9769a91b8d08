"""Pairs of graphs that say the same in other operators are proven; the same pairs with one number or attribute changed are not.

Each pair is also run in ONNX Runtime: an identity that does not hold would show there, and a fault that changes nothing would be none.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest

from safeconvert.prove.prover import prove
from tests.prove.graphs import Builder, contract, numbers

Pair = tuple[onnx.ModelProto, onnx.ModelProto]
LAST = (0, 2, 3, 1)


def batchnorm_folded(scale: float = 1.0) -> Pair:
    w, gamma, beta, mean, var = (
        numbers((4, 3, 3, 3), 1),
        numbers((4,), 2),
        numbers((4,), 3),
        numbers((4,), 4),
        numbers((4,), 5) ** 2,
    )
    a = Builder(["n", 3, 8, 8])
    conv = a("Conv", "x", a.constant(w), pads=[1, 1, 1, 1])
    one = a.model(a("BatchNormalization", conv, *(a.constant(v) for v in (gamma, beta, mean, var)), epsilon=1e-3))
    factor = gamma / np.sqrt(var + np.float32(1e-3))
    b = Builder(["n", 3, 8, 8])
    folded = w * factor.reshape(-1, 1, 1, 1) * np.float32(scale)
    return one, b.model(b("Conv", "x", b.constant(folded), b.constant(beta - mean * factor), pads=[1, 1, 1, 1]))


def channels_last(axis: int = 3) -> Pair:
    """A convolution, bias and softmax over the channels; the target does all but the convolution channels last."""
    w, bias = numbers((4, 3, 3, 3), 1), numbers((4,), 2)
    a = Builder(["n", 3, 8, 8])
    one = a.model(a("Softmax", a("Relu", a("Conv", "x", a.constant(w), a.constant(bias))), axis=1))
    b = Builder(["n", 8, 8, 3])
    first = b("Transpose", "x", perm=[0, 3, 1, 2])
    conv = b("Transpose", b("Conv", first, b.constant(w)), perm=[0, 2, 3, 1])
    return one, b.model(b("Softmax", b("Relu", b("Add", conv, b.constant(bias))), axis=axis))


def flattened_otherwise(swap: bool = False) -> Pair:
    """A Gemm behind a flatten; the target flattens channels last and has the rows of its matrix in that order."""
    w = numbers((3 * 4 * 5, 6), 1)
    a = Builder(["n", 3, 4, 5])
    one = a.model(a("Gemm", a("Flatten", a("Relu", "x")), a.constant(w), a.constant(numbers((6,), 2))))
    rows = w.reshape(3, 4, 5, 6).transpose((1, 2, 0, 3) if not swap else (2, 1, 0, 3)).reshape(60, 6)
    b = Builder(["n", 4, 5, 3])
    flat = b("Reshape", b("Relu", "x"), b.ints(-1, 60))
    return one, b.model(b("Add", b("MatMul", flat, b.constant(rows)), b.constant(numbers((6,), 2))))


def pointwise_as_product(transpose: bool = True) -> Pair:
    w = numbers((4, 4, 1, 1), 1)
    a = Builder(["n", 4, 6, 6])
    one = a.model(a("Conv", "x", a.constant(w), a.constant(numbers((4,), 2))))
    b = Builder(["n", 6, 6, 4])
    matrix = w.reshape(4, 4).T if transpose else w.reshape(4, 4)
    return one, b.model(b("Add", b("MatMul", "x", b.constant(matrix)), b.constant(numbers((4,), 2))))


def pooled_as_mean(axes: tuple[int, int] = (1, 2)) -> Pair:
    a = Builder(["n", 4, 6, 7])
    one = a.model(a("Flatten", a("GlobalAveragePool", "x")))
    b = Builder(["n", 6, 7, 4])
    return one, b.model(b("ReduceMean", "x", axes=list(axes), keepdims=0))


def hard_swish_apart(three: float = 3.0) -> Pair:
    a = Builder(["n", 4, 6, 6], opset=17)
    one = a.model(a("HardSwish", "x"))
    b = Builder(["n", 4, 6, 6])
    clipped = b("Clip", b("Add", "x", b.constant(three)), b.constant(0.0), b.constant(6.0))
    return one, b.model(b("Mul", b("Mul", "x", clipped), b.constant(1 / 6)))


def hard_swish_of_a_convolution(three: float = 3.0, bound: float = 6.0, before: float = 1.0) -> Pair:
    """As TFLite fuses it: what is bounded has weights, into which a factor would go, where the sixth is taken before."""
    w, bias = numbers((5, 40, 3, 3), 7), numbers((5,), 2)
    a, b = Builder(["n", 40, 6, 6]), Builder(["n", 40, 6, 6])
    one = a.model(a("HardSwish", a("Conv", "x", a.constant(w), a.constant(bias))))
    made = b("Conv", "x", b.constant(w), b.constant(bias))
    scaled = b("Mul", made, b.constant(before)) if before != 1 else made
    clipped = b("Clip", b("Add", scaled, b.constant(three * before)), b.constant(0.0), b.constant(bound * before))
    return one, b.model(b("Mul", made, b("Div", clipped, b.constant(6.0 * before))))


def relu_six(six: float = 6.0) -> Pair:
    a = Builder(["n", 4])
    one = a.model(a("Clip", "x", a.constant(0.0), a.constant(6.0)))
    b = Builder(["n", 4])
    return one, b.model(b("Min", b("Relu", "x"), b.constant(six)))


def one_dimension_in_two(pad: int = 1) -> Pair:
    w = numbers((4, 3, 3), 1)
    a = Builder(["n", 3, 9])
    one = a.model(a("Conv", "x", a.constant(w), pads=[1, 1], dilations=[1]))
    b = Builder(["n", 3, 9])
    wide = b("Unsqueeze", "x", b.ints(2))
    conv = b("Conv", wide, b.constant(w[:, :, None]), pads=[0, pad, 0, 2 - pad])
    return one, b.model(b("Squeeze", conv, b.ints(2)))


def scaled_before_depthwise(channel: int = 1) -> Pair:
    w, factor = numbers((4, 1, 3, 3), 1), np.float32([1, 2, 3, 4])
    a = Builder(["n", 4, 6, 6])
    scaled = a("Mul", "x", a.constant(factor.reshape(4, 1, 1)))
    one = a.model(a("Conv", scaled, a.constant(w), group=4, pads=[1, 1, 1, 1]))
    b = Builder(["n", 4, 6, 6])
    other = np.roll(factor, channel - 1)
    return one, b.model(b("Conv", "x", b.constant(w * other.reshape(4, 1, 1, 1)), group=4, pads=[1, 1, 1, 1]))


def attention(heads_first: bool = True) -> Pair:
    """Products of two computed tensors; the target splits the heads in another way and scales before the product."""
    wq, wk, wv = (numbers((8, 8), seed) for seed in (1, 2, 3))

    def heads(b: Builder, w: np.ndarray, order: list[int]) -> str:
        split = b("Reshape", b("MatMul", "x", b.constant(w)), b.ints(-1, 5, 2, 4))
        return str(b("Transpose", split, perm=order))

    a = Builder(["n", 5, 8])
    q, k, v = heads(a, wq, [0, 2, 1, 3]), heads(a, wk, [0, 2, 3, 1]), heads(a, wv, [0, 2, 1, 3])
    scores = a("Softmax", a("Mul", a("MatMul", q, k), a.constant(0.5)), axis=-1)
    one = a.model(a("Reshape", a("Transpose", a("MatMul", scores, v), perm=[0, 2, 1, 3]), a.ints(-1, 5, 8)))
    b = Builder(["n", 5, 8])
    q, v = heads(b, wq, [0, 2, 1, 3]), heads(b, wv, [0, 2, 1, 3])
    k = b("Transpose", heads(b, wk, [0, 2, 1, 3]), perm=[0, 1, 3, 2])
    scores = b("Softmax", b("MatMul", b("Mul", q, b.constant(0.5)), k), axis=-1 if heads_first else -2)
    return one, b.model(b("Reshape", b("Transpose", b("MatMul", scores, v), perm=[0, 2, 1, 3]), b.ints(-1, 5, 8)))


def joined_and_cut(start: int = 1) -> Pair:
    a = Builder(["n", 3, 4, 4])
    both = a("Concat", "x", a("Relu", "x"), axis=1)
    one = a.model(a("Slice", both, a.ints(1), a.ints(5), a.ints(1)))
    b = Builder(["n", 4, 4, 3])
    both = b("Concat", "x", b("Relu", "x"), axis=3)
    return one, b.model(b("Slice", both, b.ints(start), b.ints(start + 4), b.ints(-1)))


def channels_scaled_apart(order: tuple[int, ...] = (0, 1, 2), turned: bool = False) -> Pair:
    """Each channel of a picture with a factor and an offset of its own before a convolution; the target scales and shifts them joined, or has it the other way around."""
    s, t, w = np.float32([0.46, 0.45, 0.44]), np.float32([-0.03, -0.09, -0.19]), numbers((4, 3, 3, 3), 1)
    a, b = Builder(["n", 3, 8, 8]), Builder(["n", 8, 8, 3])
    apart = []
    for k in range(3):
        channel = a("Unsqueeze", a("Gather", "x", a.constant(k, np.int64), axis=1), a.ints(1))
        apart.append(a("Add", a("Mul", channel, a.constant(s[k])), a.constant(t[k])))
    one = a.model(a("Conv", a("Concat", *apart, axis=1), a.constant(w), pads=[1] * 4))
    places = b("Split", "x", b.ints(1, 1, 1), outputs=3, axis=3)
    joined = b("Concat", *(places[k] for k in order), axis=3)
    moved = b("Mul", joined, b.constant(s)) if not turned else b("Add", joined, b.constant(t))
    moved = b("Add", moved, b.constant(t)) if not turned else b("Mul", moved, b.constant(s))
    made = b("Conv", b("Transpose", moved, perm=[0, 3, 1, 2]), b.constant(w), pads=[1] * 4)
    return one, b.model(b("Transpose", made, perm=[0, 2, 3, 1]))


def sums_in_another_order(sign: float = 1.0) -> Pair:
    bias = numbers((3, 1, 1), 1)
    a = Builder(["n", 3, 4, 4])
    one = a.model(a("Add", a("Add", "x", a.constant(bias)), a("Relu", "x")))
    b = Builder(["n", 3, 4, 4])
    return one, b.model(b("Sub", b("Add", b("Relu", "x"), "x"), b.constant(-sign * bias)))


def padded_before(fill: float = 0.0) -> Pair:
    w = numbers((4, 3, 3, 3), 1)
    a = Builder(["n", 3, 8, 8])
    one = a.model(a("Conv", "x", a.constant(w), pads=[1, 1, 2, 2], strides=[2, 2]))
    b = Builder(["n", 8, 8, 3])
    padded = b("Pad", "x", b.ints(0, 1, 1, 0, 0, 1, 1, 0), b.constant(fill))
    conv = b("Conv", b("Transpose", padded, perm=[0, 3, 1, 2]), b.constant(w), pads=[0, 0, 1, 1], strides=[2, 2])
    return one, b.model(b("Transpose", conv, perm=[0, 2, 3, 1]))


def places_as_a_window(start: int = 0) -> Pair:
    a = Builder(["n", 3, 8, 7])
    one = a.model(a("MaxPool", "x", kernel_shape=[1, 1], strides=[2, 3]))
    b = Builder(["n", 8, 7, 3])
    return one, b.model(b("Slice", "x", b.ints(start, 0), b.ints(8, 7), b.ints(1, 2), b.ints(2, 3)))


Case = tuple[Callable[[], Pair], Callable[[], Pair], tuple[int, ...] | None, tuple[int, ...] | None]
CASES: dict[str, Case] = {
    "batchnorm folded": (batchnorm_folded, lambda: batchnorm_folded(1.0001), None, None),
    "channels last": (channels_last, lambda: channels_last(2), LAST, LAST),
    "flattened otherwise": (flattened_otherwise, lambda: flattened_otherwise(True), LAST, None),
    "1x1 as product": (pointwise_as_product, lambda: pointwise_as_product(False), LAST, LAST),
    "pooled as mean": (pooled_as_mean, lambda: pooled_as_mean((1, 1)), LAST, None),
    "hardswish": (hard_swish_apart, lambda: hard_swish_apart(3.01), None, None),
    "hardswish of a convolution": (
        hard_swish_of_a_convolution,
        lambda: hard_swish_of_a_convolution(3.0001),
        None,
        None,
    ),
    "hardswish of a convolution, a sixth before": (
        lambda: hard_swish_of_a_convolution(before=1 / 6),
        lambda: hard_swish_of_a_convolution(3.0001, before=1 / 6),
        None,
        None,
    ),
    "hardswish of a convolution, its bound": (
        hard_swish_of_a_convolution,
        lambda: hard_swish_of_a_convolution(bound=5.999),
        None,
        None,
    ),
    "relu6": (relu_six, lambda: relu_six(5.99), None, None),
    "1-D in 2-D": (one_dimension_in_two, lambda: one_dimension_in_two(0), None, None),
    "padded before": (padded_before, lambda: padded_before(0.01), LAST, LAST),
    "places as a window": (places_as_a_window, lambda: places_as_a_window(1), LAST, LAST),
    "scaled depthwise": (scaled_before_depthwise, lambda: scaled_before_depthwise(2), None, None),
    "attention": (attention, lambda: attention(False), None, None),
    "channels scaled apart": (channels_scaled_apart, lambda: channels_scaled_apart((0, 2, 1)), LAST, LAST),
    "channels shifted apart": (channels_scaled_apart, lambda: channels_scaled_apart(turned=True), LAST, LAST),
    "joined and cut": (joined_and_cut, lambda: joined_and_cut(2), LAST, LAST),
    "sums": (sums_in_another_order, lambda: sums_in_another_order(-1.0), None, None),
}
FAULTS = [name for name in CASES if name != "pooled as mean"]  # its fault is no valid graph


def apart(pair: Pair, inputs: tuple[int, ...] | None, outputs: tuple[int, ...] | None) -> float:
    """The largest difference in ONNX Runtime on one random batch."""
    one, two = (
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]) for model in pair
    )
    shape = [size if isinstance(size, int) else 20 for size in one.get_inputs()[0].shape]
    x = (6 * numbers(shape, 9)).astype(np.float32)
    theirs = x if inputs is None else np.ascontiguousarray(x.transpose(inputs))
    [left], [right] = one.run(None, {"x": x}), two.run(None, {"x": theirs})
    return float(np.abs((left if outputs is None else left.transpose(outputs)) - right).max())


@pytest.mark.parametrize("name", list(CASES))
def test_the_same_in_other_operators_is_proven(name: str) -> None:
    right, _, inputs, outputs = CASES[name]
    found = prove(*right(), contract(inputs, outputs))
    assert found.proven, found.unproven
    assert not found.same_file and found.apart < 1e-6
    assert apart(right(), inputs, outputs) < 1e-4


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_in_it_is_not_proven_and_named(name: str) -> None:
    _, wrong, inputs, outputs = CASES[name]
    found = prove(*wrong(), contract(inputs, outputs))
    assert not found.proven and not found.document
    assert found.unproven, "where the target leaves what is known"
    assert apart(wrong(), inputs, outputs) > 1e-5, "the fault of this test changes nothing"


def test_integers_are_divided_as_integers() -> None:
    """(2·a)/b is 2·(a/b) for real numbers and not for integers."""

    def model(first: bool) -> onnx.ModelProto:
        b = Builder(["n", 4], dtype=onnx.TensorProto.INT64)
        two, three = b.constant([2], np.int64), b.constant([3], np.int64)
        whole = b("Div", b("Mul", "x", two), three) if first else b("Mul", b("Div", "x", three), two)
        return b.model(b("Cast", whole, to=onnx.TensorProto.FLOAT))

    assert not prove(model(True), model(False), contract()).proven
    assert prove(model(True), model(True), contract()).proven


def test_random_numbers_are_never_proven() -> None:
    b = Builder(["n", 4])
    model = b.model(b("Add", "x", b("RandomNormalLike", "x")))
    assert not prove(model, model, contract()).proven
