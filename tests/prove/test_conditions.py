"""Each side condition of an axiom is needed: waived, the checker accepts a pair of graphs that are not one function."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto

from safeconvert.prove.axioms.table import AXIOMS
from safeconvert.prove.kernel.terms import Store
from safeconvert.prove.prover import prove
from tests.prove.graphs import Builder, contract, numbers, rng
from tests.prove.recurrent import body, drawn, operator
from tests.prove.test_attacks import dropout_in_training, normalization_in_training, softmax_over_several_axes

Pair = tuple[onnx.ModelProto, onnx.ModelProto]
IMAGE = [2, 4, 4, 4]


def overflowing_offsets() -> Pair:
    def model(last: float) -> onnx.ModelProto:
        b = Builder([2, 3], dtype=TensorProto.DOUBLE)
        made = b("Add", b("Add", "x", b.constant(1.5e308, np.float64)), b.constant(last, np.float64))
        return b.model(b("Cast", made, to=TensorProto.FLOAT))

    return model(1.5e308), model(1.7e308)


def half_as_much_again() -> Pair:
    a, b = Builder([2, 3]), Builder([2, 3])
    return a.model(a("Sin", a("Mul", "x", a.constant([1.5])))), b.model(b("Sin", "x"))


def factor_along_the_width() -> Pair:
    def model(shape: tuple[int, ...]) -> onnx.ModelProto:
        b = Builder(IMAGE)
        conv = b("Conv", "x", b.constant(numbers((4, 4, 3, 3), 1)), pads=[1, 1, 1, 1])
        return b.model(b("Mul", conv, b.constant(numbers((4,), 2).reshape(shape))))

    return model((1, 1, 1, 4)), model((1, 4, 1, 1))


def mirrored_clip() -> Pair:
    a, b = Builder([2, 3]), Builder([2, 3])
    one = a.model(a("Relu", a("Neg", "x")))
    return one, b.model(b("Neg", b("Clip", "x", b.constant(0.0), b.constant(-np.inf))))


def bound_that_varies() -> Pair:
    def model(bound: list[float]) -> onnx.ModelProto:
        b = Builder([2, 2])
        return b.model(b("Max", "x", b.constant(bound)))

    return model([0.0, 1.0]), model([0.0])


def gelu_by_tanh() -> Pair:
    def model(form: str) -> onnx.ModelProto:
        b = Builder([2, 2], opset=20)
        return b.model(b("Gelu", "x", approximate=form))

    return model("tanh"), model("none")


def falling_hard_sigmoid() -> Pair:
    a, b = Builder([2, 3]), Builder([2, 3])
    one = a.model(a("HardSigmoid", "x", alpha=-0.25, beta=0.5))
    bounded = b("Clip", b("Sub", "x", b.constant(2.0)), b.constant(0.0), b.constant(-4.0))
    return one, b.model(b("Mul", bounded, b.constant(-0.25)))


def factor_of_rows() -> Pair:
    def model(factor: list[list[float]]) -> onnx.ModelProto:
        b = Builder([2, 3])
        return b.model(b("MatMul", b("Mul", "x", b.constant(factor)), b.constant(numbers((3, 3), 1))))

    return model([[2.0], [3.0]]), model([[2.0]])


def convolved(before: str, constant: np.ndarray | None) -> onnx.ModelProto:
    b = Builder(IMAGE)
    x = "x" if constant is None else b(before, "x", b.constant(constant))
    return b.model(b("Conv", x, b.constant(numbers((4, 4, 3, 3), 1)), pads=[1, 1, 1, 1]))


def factor_of_places() -> Pair:
    factor = np.arange(2, 18, dtype=np.float32).reshape(1, 1, 4, 4)
    return convolved("Mul", factor), convolved("Mul", np.float32([2.0]))


def offset_before_padding() -> Pair:
    return convolved("Add", np.float32([0.5])), convolved("Add", None)


def window_as_a_place() -> Pair:
    w = numbers((4, 4, 3, 3), 1)
    b = Builder(IMAGE)
    return convolved("", None), b.model(b("Conv", "x", b.constant(w.astype(np.float64).sum((2, 3), keepdims=True))))


def padded_with_numbers() -> Pair:
    b = Builder(IMAGE)
    padded = b("Pad", "x", b.ints(0, 0, 1, 1, 0, 0, 1, 1), b.constant(0.01))
    return convolved("", None), b.model(b("Conv", padded, b.constant(numbers((4, 4, 3, 3), 1))))


def weighted_sum() -> Pair:
    def model(factor: list[float]) -> onnx.ModelProto:
        b = Builder([2, 3])
        return b.model(b("ReduceSum", b("Mul", "x", b.constant(factor)), b.ints(1), keepdims=0))

    return model([2.0, 3.0, 4.0]), model([2.0])


def window_that_leaves_a_border() -> Pair:
    def model(operator: str, **attributes: object) -> onnx.ModelProto:
        b = Builder([1, 2, 5, 5])
        return b.model(b(operator, "x", **attributes))

    return model("AveragePool", kernel_shape=[4, 4], strides=[2, 2]), model("AveragePool", kernel_shape=[5, 5])


def window_of_several_places() -> Pair:
    a, b = Builder([1, 2, 4, 4]), Builder([1, 2, 4, 4])
    one = a.model(a("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2]))
    return one, b.model(b("Slice", "x", b.ints(0, 0), b.ints(4, 4), b.ints(2, 3), b.ints(2, 2)))


def overhang_of_a_ceiling() -> Pair:
    def model(end: int, ceil: int) -> onnx.ModelProto:
        b = Builder([1, 2, 5, 5], opset=19)
        pads = [1, 1, end, end]
        return b.model(
            b("AveragePool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=pads, count_include_pad=1, ceil_mode=ceil)
        )

    return model(1, 0), model(0, 1)


def pooled(operator: str, pads: int, fill: float, own: int = 0, bounded: bool = True) -> onnx.ModelProto:
    b = Builder([1, 2, 5, 5], opset=19)
    name = b("Relu", "x") if bounded else "x"
    if pads:
        name = b("Pad", name, b.ints(0, 0, pads, pads, 0, 0, pads, pads), b.constant(np.float32(fill)))
    return b.model(b(operator, name, kernel_shape=[2, 2], strides=[2, 2], pads=[own] * 4))


def largest_of_what_was_negative() -> Pair:
    return pooled("MaxPool", 1, 0.0, bounded=False), pooled("MaxPool", 0, 0.0, own=1, bounded=False)


def windows_of_nothing_but_padding() -> Pair:
    return pooled("MaxPool", 2, -1.0), pooled("MaxPool", 2, -2.0)


def ends_of_another() -> Pair:
    def model(place: int) -> onnx.ModelProto:
        b = Builder([1, 2, 5, 5], opset=19)
        end = b("Slice", "x", b.ints(place), b.ints(place + 1), b.ints(2))
        return b.model(b("MaxPool", b("Concat", end, "x", axis=2), kernel_shape=[2, 2]))

    return model(3), model(0)


def mean_with_ones() -> Pair:
    return pooled("AveragePool", 1, 1.0), pooled("AveragePool", 1, 0.0)


def dropout_and_none() -> Pair:
    b = Builder(["n", 4])
    return dropout_in_training()[0], b.model("x")


def no_multiple() -> Pair:
    a, b = Builder([2, 2]), Builder([2, 2])
    scaled = a("Mul", a("Tanh", "x"), a.constant([1.0, 3.0]))
    one = a.model(a("Add", a("Mul", a("Sin", "x"), a.constant([1.0, 2.0])), scaled))
    both = b("Add", b("Sin", "x"), b("Mul", b("Tanh", "x"), b.constant(1.5)))
    return one, b.model(b("Mul", both, b.constant([1.0, 2.0])))


def factor_along_other_axes() -> Pair:
    a, b = Builder([3, 3]), Builder([3, 3])
    e = a("Exp", "x")
    one = a.model(a("Add", a("Mul", a("Sin", "x"), e), a("Mul", a("Tanh", "x"), a("Transpose", e, perm=[1, 0]))))
    return one, b.model(b("Mul", b("Add", b("Sin", "x"), b("Tanh", "x")), b("Exp", "x")))


def exponential_of_the_negative() -> Pair:
    a, b = Builder([2, 3]), Builder([2, 3])
    one = a.model(a("Exp", a("Neg", "x")))
    return one, b.model(b("Neg", b("Exp", "x")))


def less_and_greater() -> Pair:
    def model(order: int) -> onnx.ModelProto:
        b = Builder([2, 3])
        return b.model(b("Cast", b("Less", *["x", b("Sin", "x")][::order]), to=TensorProto.FLOAT))

    return model(1), model(-1)


def recurrent(kind: str, biases: np.ndarray, *start: str, **attributes: object) -> onnx.ModelProto:
    gates = {"GRU": 3, "LSTM": 4}[kind]
    b = Builder([5, 2, 3])
    weights = b.constant(numbers((1, 2 * gates, 3), 1)), b.constant(numbers((1, 2 * gates, 2), 2)), b.constant(biases)
    begun = ["", *(b.constant(np.full((1, 2, 2), 0.5)) for _ in start)] if start else []
    return b.model(b(kind, "x", *weights, *begun, hidden_size=2, **attributes))


def biases_of_a_product_that_is_reset() -> Pair:
    one, other = np.zeros((1, 12), np.float32), np.zeros((1, 12), np.float32)
    one[0, 4:6], other[0, 10:12] = 1.0, 1.0
    return recurrent("GRU", one, linear_before_reset=1), recurrent("GRU", other, linear_before_reset=1)


def states_that_begin_elsewhere() -> Pair:
    return recurrent("LSTM", np.zeros((1, 16))), recurrent("LSTM", np.zeros((1, 16)), "hidden", "cell")


def sequence_backwards() -> Pair:
    biases = np.zeros((1, 16))
    return recurrent("LSTM", biases), recurrent("LSTM", biases, direction="reverse")


def joined_with(front: list[float], back: list[float]) -> onnx.ModelProto:
    b = Builder([2, 3])
    ends = [b.constant(np.tile(end, (2, 1))) for end in (front, back)]
    return b.model(b("Concat", ends[0], "x", ends[1], axis=1))


def numbers_in_front() -> Pair:
    return joined_with([1.0, 2.0], [1.0]), joined_with([1.0, 1.0], [1.0])


def other_numbers_behind() -> Pair:
    return joined_with([0.0], [1.0]), joined_with([0.0], [0.0])


def other_weights() -> Pair:
    def model(seed: int) -> onnx.ModelProto:
        b = Builder(IMAGE)
        return b.model(b("Conv", "x", b.constant(numbers((4, 4, 3, 3), seed))))

    return model(1), model(2)


def factor_of_places_read_backwards() -> Pair:
    def model(factor: object) -> onnx.ModelProto:
        b = Builder([2, 4, 4])
        return b.model(b("ConvTranspose", b("Mul", "x", b.constant(factor)), b.constant(numbers((4, 3, 3), 1))))

    return model([2.0, 3.0, 4.0, 5.0]), model([[2.0], [3.0], [4.0], [5.0]])


def unrolled(change: str) -> Pair:
    """A layer with a setting, and the steps of one without."""
    kind = "GRU" if change == "after" else "LSTM"
    one, two = Builder([3, 2, 3]), Builder([3, 2, 3])
    w = drawn(kind, rng(1), 3, 2)
    half = one.constant(np.full((1, 2, 2), 0.5))
    inputs = {"whole": [one.constant([2, 3], np.int32)], "start": ["", half, half]}.get(change, [])
    settings = {"plain": {"clip": 0.05}, "after": {"linear_before_reset": 1}}.get(change, {})
    last = one("Squeeze", operator(one, "x", [w], *inputs, **settings)[1], one.ints(0))
    return one.model(last), two.model(body(two, "x", w, False, False, 3)[-1])


def settings_of_a_cell() -> Pair:
    return unrolled("plain")


def shorter_sequences() -> Pair:
    return unrolled("whole")


def states_begun_at_a_half() -> Pair:
    return unrolled("start")


def state_that_is_not_reset() -> Pair:
    return unrolled("after")


def mixture(turned: bool, rest: float) -> onnx.ModelProto:
    b = Builder([3, 3])
    gate, one, two = (b(name, "x") for name in ("Sigmoid", "Sin", "Exp"))
    less = b("Sub", b.constant(rest), b("Transpose", gate, perm=[1, 0]) if turned else gate)
    return b.model(b("Add", b("Mul", gate, one), b("Mul", less, two)))


def gates_of_other_axes() -> Pair:
    return mixture(True, 1.0), mixture(False, 1.0)


def gates_that_are_not_one_in_all() -> Pair:
    return mixture(False, 2.0), mixture(False, 1.0)


def rows_from_the_end(added: int, bound: int = 0, less: float = 0.0) -> Pair:
    def model(wrapped: bool) -> onnx.ModelProto:
        b = Builder([3, 3])
        index = b("Cast", "x", to=TensorProto.INT64)
        below = b("Less", index, b.constant(bound, np.int64))
        base = b("Cast", b("Sub", b("Floor", "x"), b.constant(less)), to=TensorProto.INT64) if less else index
        made = b("Where", below, b("Add", base, b.constant(added, np.int64)), index) if wrapped else index
        return b.model(b("Gather", b.constant(numbers((40, 4), 1)), made, axis=0))

    return model(True), model(False)


def rows_of_another_count() -> Pair:
    return rows_from_the_end(39)


def rows_raised_above_zero() -> Pair:
    return rows_from_the_end(40, bound=2)


def rows_of_another_number() -> Pair:
    return rows_from_the_end(40, less=1.0)


def cast_of_large_numbers() -> Pair:
    def model(saturate: int) -> onnx.ModelProto:
        b = Builder([3, 3], opset=19)
        small = b("Cast", b("Mul", "x", b.constant(1000.0)), to=TensorProto.FLOAT8E4M3FN, saturate=saturate)
        return b.model(b("Cast", small, to=TensorProto.FLOAT))

    return model(1), model(0)


def number_that_is_not_one() -> Pair:
    def model(number: float) -> onnx.ModelProto:
        b = Builder([3, 3])
        return b.model(b("Cast", b("Not", b("Equal", b("Floor", "x"), b.constant(number))), to=TensorProto.FLOAT))

    return model(0.0), model(1.0)


def one_more_in_an_integer() -> Pair:
    def model(number: int) -> onnx.ModelProto:
        b = Builder([2, 3])
        made = b("Add", b("Cast", "x", to=TensorProto.INT64), b.constant(number, np.int64))
        return b.model(b("Cast", made, to=TensorProto.FLOAT))

    return model(0), model(1)


def end_behind_the_axis() -> Pair:
    """Nothing is cut away of 97 or 192 steps, and much of 600."""
    a, b = Builder(["n", "t", 4]), Builder(["n", "t", 4])
    return a.model(a("Relu", "x")), b.model(b("Relu", b("Slice", "x", b.ints(0), b.ints(512), b.ints(1))))


def halves_in_another_order() -> Pair:
    a, b = Builder(IMAGE), Builder(IMAGE)
    one, two = b("Split", "x", b.ints(2, 2), outputs=2, axis=1)
    return a.model(a("Sin", "x")), b.model(b("Sin", b("Concat", two, one, axis=1)))


def groups_apart(sizes: tuple[int, ...], pads: list[list[int]]) -> Pair:
    """A convolution in two groups, and one for each with a number of results and padding of its own."""
    w = numbers((4, 2, 3, 3), 1)
    a, b = Builder(IMAGE), Builder(IMAGE)
    halves = b("Split", "x", b.ints(2, 2), outputs=2, axis=1)
    parts = np.split(w, np.cumsum(sizes)[:-1])
    made = [b("Conv", x, b.constant(part), pads=pad) for x, part, pad in zip(halves, parts, pads, strict=True)]
    return a.model(a("Conv", "x", a.constant(w), group=2, pads=[1] * 4)), b.model(b("Concat", *made, axis=1))


def groups_padded_apart() -> Pair:
    return groups_apart((2, 2), [[1, 1, 1, 1], [0, 0, 2, 2]])


def groups_of_other_sizes() -> Pair:
    return groups_apart((1, 3), [[1, 1, 1, 1], [1, 1, 1, 1]])


def factor_of_places_of_groups() -> Pair:
    def model(factor: np.ndarray) -> onnx.ModelProto:
        b = Builder(IMAGE)
        scaled = b("Mul", "x", b.constant(factor))
        return b.model(b("Conv", scaled, b.constant(numbers((4, 2, 1, 1), 1)), group=2))

    return model(np.arange(2, 18).reshape(1, 1, 4, 4)), model(np.full((1, 1, 1, 1), 2))


def weights_between_groups() -> Pair:
    def model(between: float) -> onnx.ModelProto:
        b = Builder(IMAGE)
        w = np.kron(np.eye(2), np.ones((2, 2)))[:, :, None, None] * numbers((4, 4, 3, 3), 1)
        w[0, 3] = between
        return b.model(b("Conv", "x", b.constant(w)))

    return model(0.0), model(0.5)


def shuffled_and_mixed() -> Pair:
    def model(more: float) -> onnx.ModelProto:
        b = Builder(IMAGE)
        matrix = np.eye(4)[[0, 2, 1, 3]]
        matrix[0, 3] = more
        return b.model(b("Conv", "x", b.constant(matrix[:, :, None, None])))

    return model(0.0), model(0.5)


WITNESSES: dict[str, Callable[[], Pair]] = {
    "affine maps compose: constants are finite": overflowing_offsets,
    "affine maps compose: what is taken for a factor of one is one within four roundings": half_as_much_again,
    "a factor goes into weights: the factor varies along output channels only": factor_along_the_width,
    "batch normalization: it is at inference": normalization_in_training,
    "clips: the number in front is positive": mirrored_clip,
    "clips: the bound is one number": bound_that_varies,
    "activations spelled out: the Gelu is the exact one": gelu_by_tanh,
    "activations spelled out: the number that is drawn out of a bound is positive": falling_hard_sigmoid,
    "products with a matrix: the factor of what is summed varies along the summed axis only": factor_of_rows,
    "convolutions: the factor of what is convolved varies along its channels only": factor_of_places,
    "convolutions: nothing is added to what is convolved, so that padding stays zero": offset_before_padding,
    "convolutions: window, stride and padding are those of a single place, and all channels are one group": window_as_a_place,
    "convolutions: a Pad before it is of zeros, and cuts nothing away": padded_with_numbers,
    "reductions over whole axes: the factor does not vary along what is summed": weighted_sum,
    "pooling in windows: the one window covers everything, and no padding": window_that_leaves_a_border,
    "pooling in windows: the window is of one place": window_of_several_places,
    "pooling in windows: counted padding does not end before the last window does": overhang_of_a_ceiling,
    "pooling in windows: what is padded is nowhere less than what it is padded with": largest_of_what_was_negative,
    "pooling in windows: each window reads a place of the tensor": windows_of_nothing_but_padding,
    "pooling in windows: what is counted as padding is zero": mean_with_ones,
    "pooling in windows: what is joined to a tensor are its own ends": ends_of_another,
    "sums: a factor that varies is a multiple of the other": no_multiple,
    "sums: the common factor lies along the same axes in both products": factor_along_other_axes,
    "odd functions: the function is odd": exponential_of_the_negative,
    "operators on pairs: the operator is the same in both orders": less_and_greater,
    "recurrent layers: the biases of a gate that resets the product itself stay apart": biases_of_a_product_that_is_reset,
    "recurrent layers: states begin at zero": states_that_begin_elsewhere,
    "recurrent layers: it runs forward": sequence_backwards,
    "recurrent layers step by step: it has no clip, no coupled gates and no peepholes": settings_of_a_cell,
    "recurrent layers step by step: all sequences are as long as the tensor": shorter_sequences,
    "recurrent layers step by step: constant states to begin with are zero": states_begun_at_a_half,
    "recurrent layers step by step: the product with the state is reset where the layer says so, else the state": state_that_is_not_reset,
    "mixtures: what is common lies along the same axes": gates_of_other_axes,
    "mixtures: one gate is the other less one": gates_that_are_not_one_in_all,
    "concatenation along an axis: all of a part is one number": numbers_in_front,
    "concatenation along an axis: what is joined in front and behind is the same number": other_numbers_behind,
    "concatenation along an axis: each part of a tensor begins where the one before it ends": halves_in_another_order,
    "convolutions of groups: all groups have the same windows and padding": groups_padded_apart,
    "convolutions of groups: all groups make as many channels": groups_of_other_sizes,
    "products of groups: factor and offset of what is summed vary along the summed axis only": factor_of_places_of_groups,
    "products of groups: all weights between groups are zero": weights_between_groups,
    "shuffles: all numbers of the matrix but those by which places are taken are zero": shuffled_and_mixed,
    "transposed convolutions: the factor of what is read varies along its channels only, and nothing is added to it": factor_of_places_read_backwards,
    "convolutions: all weights are zero": other_weights,
    "softmax along an axis: it is along one axis, which before opset 13 is so for the last one only": softmax_over_several_axes,
    "moves of elements: a Dropout is at inference": dropout_and_none,
    "the same operator: it draws no random numbers": dropout_in_training,
    "casts: it is to a type that every version knows": cast_of_large_numbers,
    "casts: what a number is compared with is zero": number_that_is_not_one,
    "neutral elements: the constant is the neutral one": one_more_in_an_integer,
    "places along an axis: a Slice begins and ends within the axis, or at its end however long it is": end_behind_the_axis,
    "rows from the end: what is added is the number of rows": rows_of_another_count,
    "rows from the end: it is added below zero": rows_raised_above_zero,
    "rows from the end: what is compared and what is added to are the number itself": rows_of_another_number,
}
NOT_RUN = {
    "overflowing_offsets", "normalization_in_training", "dropout_in_training", "dropout_and_none", "rows_raised_above_zero",
    "end_behind_the_axis",
}  # fmt: skip
"""Differ in numbers that overflow, draw random ones, ask for a row that is not there, or differ at other sizes."""


def test_every_condition_has_a_witness() -> None:
    stated = [f"{axiom.name}: {condition}" for axiom in AXIOMS for condition in axiom.conditions]
    assert sorted(stated) == sorted(WITNESSES)
    assert all(axiom.statement.endswith(".") for axiom in AXIOMS)
    assert len({axiom.name for axiom in AXIOMS}) == len(AXIOMS)


@pytest.mark.parametrize("condition", list(WITNESSES))
def test_waived_it_lets_a_wrong_pair_pass(condition: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = WITNESSES[condition]()
    assert not prove(source, target, contract()).proven
    if WITNESSES[condition].__name__ not in NOT_RUN:
        x = (3 * numbers([d.dim_value or 3 for d in source.graph.input[0].type.tensor_type.shape.dim], 5)).astype(
            np.float32
        )
        one, two = (
            onnxruntime.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[
                0
            ]
            for m in (source, target)
        )
        assert not np.allclose(one, two, rtol=1e-4, atol=1e-4), "this pair is right"
    monkeypatch.setattr(
        "safeconvert.prove.prover.places", lambda graph: []
    )  # it looks at free sizes itself, beside the conditions
    plain = Store.holds
    monkeypatch.setattr(Store, "holds", lambda self, name, truth: name == condition or plain(self, name, truth))
    assert prove(source, target, contract()).proven
