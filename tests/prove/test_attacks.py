"""Pairs that are not one function, and look as if they were: attributes that are easily overlooked, numbers lost in larger ones, names that say two things."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from safeconvert.compare.contract import Contract
from safeconvert.core.signature import TensorSpec
from safeconvert.prove.checker.check import check
from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.prover import prove
from tests.prove.graphs import Builder, contract, numbers

Pair = tuple[onnx.ModelProto, onnx.ModelProto]


def normalization_in_training() -> Pair:
    def model(training: int) -> onnx.ModelProto:
        b = Builder([7, 4, 5, 5])
        arrays = [b.constant(numbers((4,), seed) ** 2) for seed in range(4)]
        made = b.model(b("BatchNormalization", "x", *arrays, training_mode=training))
        made.graph.node[0].output.extend(["", ""] if training else [])
        return made

    return model(0), model(1)


def dropout_in_training() -> Pair:
    b = Builder(["n", 4])
    model = b.model(b("Dropout", "x", b.constant(0.5), b.constant(True, np.bool_)))
    return model, model


def function_of_the_same_name() -> Pair:
    def model(operator: str) -> onnx.ModelProto:
        b = Builder(["n", 4])
        made = b.model(b("Mine", "x", domain="ours"))
        opset = [helper.make_opsetid("", 17)]
        body = [helper.make_node(operator, ["a"], ["b"])]
        made.functions.append(helper.make_function("ours", "Mine", ["a"], ["b"], body, opset))
        made.opset_import.append(helper.make_opsetid("ours", 1))
        return made

    return model("Relu"), model("Abs")


def order_of_the_places_of_maxima() -> Pair:
    def model(order: int) -> onnx.ModelProto:
        b = Builder([2, 3, 6, 6])
        _, places = b("MaxPool", "x", outputs=2, kernel_shape=[2, 2], strides=[2, 2], storage_order=order)
        return b.model(b("Cast", places, to=TensorProto.FLOAT))

    return model(0), model(1)


def offset_beside_a_large_one() -> Pair:
    def model(small: float) -> onnx.ModelProto:
        b = Builder(["n", 2, 4, 4])
        return b.model(b("Conv", "x", b.constant(numbers((2, 2, 1, 1), 1)), b.constant([1000.0, small])))

    return model(0.001), model(0.002)


def offset_that_the_target_loses() -> Pair:
    a, b = Builder(["n", 4]), Builder(["n", 4])
    one = a.model(a("Add", "x", a.constant([0.5])))
    far = b("Sub", b("Add", "x", b.constant(1e6)), b.constant(1e6))
    return one, b.model(b("Add", far, b.constant([0.75])))


def bound_a_little_higher() -> Pair:
    def model(bound: float) -> onnx.ModelProto:
        b = Builder(["n", 4])
        return b.model(b("Clip", "x", b.constant(0.0), b.constant(bound)))

    return model(1.0), model(1.000004)


def weight_next_to_nothing() -> Pair:
    """The factor behind makes something of it."""

    def model(weight: float) -> onnx.ModelProto:
        b = Builder(["n", 2])
        small = b("Relu", b("MatMul", "x", b.constant([[1.0, weight], [1.0, weight]])))
        return b.model(b("Mul", small, b.constant([1.0, 1e20])))

    return model(1e-20), model(2e-20)


def padding_beyond_doubles() -> Pair:
    def model(fill: int) -> onnx.ModelProto:
        b = Builder([2, 3], dtype=TensorProto.INT64)
        padded = b("Pad", "x", b.ints(0, 1, 0, 1), b.constant(fill, np.int64))
        return b.model(b("Cast", b("Sub", padded, b.ints(2**53)), to=TensorProto.FLOAT))

    return model(2**53), model(2**53 + 1)


def cast_that_wraps() -> Pair:
    def model(saturate: int) -> onnx.ModelProto:
        b = Builder(["n", 4], opset=19)
        small = b("Cast", "x", to=TensorProto.FLOAT8E4M3FN, saturate=saturate)
        return b.model(b("Cast", small, to=TensorProto.FLOAT))

    return model(1), model(0)


def integer_of_another_width() -> Pair:
    def model(kind: int) -> onnx.ModelProto:
        b = Builder(["n", 4], dtype=kind)
        return b.model(b("Cast", b("Add", "x", "x"), to=TensorProto.FLOAT))

    return model(TensorProto.INT64), model(TensorProto.INT8)


def remainder_of_integers() -> Pair:
    """(a·b)/c in integers is not a·(b/c)."""

    def model(first: bool) -> onnx.ModelProto:
        b = Builder([3, 4], dtype=TensorProto.INT64)
        square = b("Mul", "x", "x")
        found = b("Div", square, b.ints(3)) if first else b("Mul", "x", b("Div", "x", b.ints(3)))
        return b.model(b("Cast", found, to=TensorProto.FLOAT))

    return model(True), model(False)


def mean_of_integers() -> Pair:
    def model(first: bool) -> onnx.ModelProto:
        b = Builder([3, 4], dtype=TensorProto.INT32)
        mean = (
            b("ReduceMean", "x", axes=[1], keepdims=1)
            if first
            else b("Div", b("ReduceSum", "x", b.ints(1)), b.constant([4], np.int32))
        )
        return b.model(
            b(
                "Cast",
                b("Mul", mean, b.constant([4], np.int32)) if first else b("ReduceSum", "x", b.ints(1)),
                to=TensorProto.FLOAT,
            )
        )

    return model(True), model(False)


def padding_said_twice() -> Pair:
    def model(mode: str) -> onnx.ModelProto:
        b = Builder([1, 2, 8, 8])
        given = {"auto_pad": "VALID"} if mode == "VALID" else {"pads": [1, 1, 1, 1]}
        return b.model(b("Conv", "x", b.constant(numbers((2, 2, 3, 3), 1)), **given))

    return model("VALID"), model("")


def softmax_over_several_axes() -> Pair:
    def model(opset: int) -> onnx.ModelProto:
        b = Builder([2, 3, 4], opset=opset)
        return b.model(b("Softmax", "x", axis=1))

    return model(13), model(11)


def sum_along_the_channels() -> Pair:
    """Before set 7 the axis is an attribute."""

    def model(opset: int, **attributes: int) -> onnx.ModelProto:
        b = Builder([2, 3, 3], opset=opset)
        return b.model(b("Add", "x", b.constant([1.0, 2.0, 3.0]), **attributes))

    return model(6, axis=1, broadcast=1), model(13)


def slopes_of_the_channels() -> Pair:
    def model(opset: int) -> onnx.ModelProto:
        b = Builder([2, 3, 3], opset=opset)
        return b.model(b("PRelu", "x", b.constant([0.1, 0.2, 0.3])))

    return model(6), model(13)


def constant_scores_of_several_axes() -> Pair:
    """onnx' reference knows one axis for all sets."""

    def model(opset: int) -> onnx.ModelProto:
        b = Builder([2, 3, 4], opset=opset)
        return b.model(b("Mul", "x", b("Softmax", b.constant(numbers((2, 3, 4), 1)), axis=1)))

    return model(11), model(13)


def constant_sequences_that_end_early() -> Pair:
    """onnx' reference knows no lengths of sequences."""

    def model(lengths: list[int]) -> onnx.ModelProto:
        b = Builder([1, 2, 2])
        made = (b.constant(numbers(shape, 1)) for shape in ((4, 2, 3), (1, 6, 3), (1, 6, 2), (1, 12)))
        return b.model(b("Mul", "x", b("GRU", *made, b.constant(lengths, np.int32), outputs=2, hidden_size=2)[1]))

    return model([4, 2]), model([4, 4])


def rows_and_columns_of_zeros() -> Pair:
    """As many zeros in front, of rows in the one and of columns in the other, and both read as one line."""

    def model(pads: tuple[int, int]) -> onnx.ModelProto:
        b = Builder([1, 2, 4, 4])
        padded = b("Pad", "x", b.ints(0, 0, *pads, 0, 0, 0, 0))
        return b.model(b("Conv", b("Reshape", padded, b.ints(1, 2, 20)), b.constant(numbers((3, 2, 3), 1))))

    return model((1, 0)), model((0, 1))


def window_of_equal_numbers() -> Pair:
    """A window of one place and one of two whose numbers are the same, where both give as many."""

    def model(places: int) -> onnx.ModelProto:
        b = Builder([1, 2, 6])
        weights = np.repeat(numbers((3, 2, 1), 1), places, 2)
        return b.model(b("Conv", "x", b.constant(weights), strides=[3], pads=[1, 1]))

    return model(1), model(2)


def ends_that_are_turned() -> Pair:
    """Joined to a tensor are its own ends, but with two axes of one length the other way around."""

    def model(turned: bool) -> onnx.ModelProto:
        b = Builder([1, 4, 5, 4])
        if not turned:
            return b.model(b("MaxPool", "x", kernel_shape=[2, 2], pads=[1, 0, 0, 0]))
        end = b("Transpose", b("Slice", "x", b.ints(0), b.ints(1), b.ints(2)), perm=[0, 3, 2, 1])
        return b.model(b("MaxPool", b("Concat", end, "x", axis=2), kernel_shape=[2, 2]))

    return model(False), model(True)


def factors_of_the_other_part() -> Pair:
    """Two parts of three columns, each with factors of its own."""

    def model(turned: bool) -> onnx.ModelProto:
        b = Builder(["n", 3])
        factors = [b.constant(numbers((3,), seed)) for seed in ((2, 1) if turned else (1, 2))]
        return b.model(
            b(
                "Concat",
                *(b("Mul", b(name, "x"), one) for name, one in zip(("Sin", "Cos"), factors, strict=True)),
                axis=1,
            )
        )

    a = Builder(["n", 3])
    both = a("Concat", a("Sin", "x"), a("Cos", "x"), axis=1)
    return a.model(a("Mul", both, a.constant(np.concatenate([numbers((3,), 1), numbers((3,), 2)])))), model(True)


def factors_along_the_other_axis() -> Pair:
    """As many rows of a part as there are columns of the whole."""

    def model(rows: bool) -> onnx.ModelProto:
        b = Builder(["n", 4, 2])
        factor = numbers((4, 1), 1)
        if rows:
            return b.model(
                b("Concat", *(b("Mul", b(name, "x"), b.constant(factor)) for name in ("Sin", "Cos")), axis=2)
            )
        return b.model(b("Mul", b("Concat", b("Sin", "x"), b("Cos", "x"), axis=2), b.constant(factor.reshape(4))))

    return model(True), model(False)


def offset_of_one_part_for_both() -> Pair:
    def model(both: bool) -> onnx.ModelProto:
        b = Builder(["n", 3, 4])
        offset = b.constant(numbers((3, 1), 1))
        parts = [b("Add", b("Sin", "x"), offset), b("Cos", "x")]
        return b.model(
            b("Add", b("Concat", b("Sin", "x"), parts[1], axis=2), offset) if both else b("Concat", *parts, axis=2)
        )

    return model(False), model(True)


def ends_of_another_offset() -> Pair:
    """A row repeated at the end, shifted otherwise than the row itself, is no padding of a largest number."""

    def model(shift: float) -> onnx.ModelProto:
        b = Builder(["n", 2, 4, 4])
        last = b("Add", b("Slice", "x", b.ints(3), b.ints(4), b.ints(2)), b.constant(shift))
        both = b("Concat", b("Add", "x", b.constant(1.0)), last, axis=2)
        return b.model(b("MaxPool", both, kernel_shape=[2, 2], strides=[1, 1]))

    a = Builder(["n", 2, 4, 4])
    return a.model(a("MaxPool", a("Add", "x", a.constant(1.0)), kernel_shape=[2, 2], pads=[0, 0, 1, 0])), model(1.5)


def means(pads: list[int], ceil: int, share: np.ndarray) -> Pair:
    """A mean that leaves padding out, and one of a padded tensor times how many places of the window are there, by rows and columns."""
    a, b = Builder([1, 2, 4, 4], opset=19), Builder([1, 2, 4, 4], opset=19)
    how = {"kernel_shape": [3, 3], "strides": [2, 2]}
    one = a.model(a("AveragePool", "x", pads=pads, ceil_mode=ceil, **how))
    padded = b("Pad", "x", b.ints(0, 0, pads[0], pads[1], 0, 0, pads[2] + ceil, pads[3] + ceil))
    return one, b.model(b("Mul", b("AveragePool", padded, **how), b.constant(np.multiply.outer(share, share))))


def mean_that_is_greater_at_the_other_end() -> Pair:
    return means([1, 1, 0, 0], 0, np.array([1.0, 1.5]))


def mean_that_is_as_great_where_a_window_is_cut_off() -> Pair:
    return means([0, 0, 0, 0], 1, np.array([1.0, 1.0]))


def factor_a_little_beyond_one() -> Pair:
    def model(factor: float) -> onnx.ModelProto:
        b = Builder(["n", 4])
        return b.model(b("Sin", b("Mul", "x", b.constant(factor))))

    return model(1.0), model(1 + 2.0**-20)


PAIRS: tuple[Callable[[], Pair], ...] = (
    normalization_in_training, dropout_in_training, function_of_the_same_name, order_of_the_places_of_maxima, offset_beside_a_large_one,
    offset_that_the_target_loses, bound_a_little_higher, weight_next_to_nothing, padding_beyond_doubles, cast_that_wraps, integer_of_another_width,
    remainder_of_integers, mean_of_integers, padding_said_twice, softmax_over_several_axes,
    sum_along_the_channels, slopes_of_the_channels, constant_scores_of_several_axes, constant_sequences_that_end_early,
    rows_and_columns_of_zeros, ends_that_are_turned, window_of_equal_numbers, mean_that_is_greater_at_the_other_end,
    mean_that_is_as_great_where_a_window_is_cut_off, factor_a_little_beyond_one,
    factors_of_the_other_part, factors_along_the_other_axis, offset_of_one_part_for_both, ends_of_another_offset,
)  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.__name__ for pair in PAIRS])
def test_is_not_proven(pair: Callable[[], Pair]) -> None:
    source, target = pair()
    found = prove(source, target, contract())
    assert not found.proven, found.document


def test_means_of_what_is_there_are_proven() -> None:
    for right in (means([1, 1, 0, 0], 0, np.array([1.5, 1.0])), means([0, 0, 0, 0], 1, np.array([1.0, 1.5]))):
        assert prove(*right, contract()).proven


def test_a_function_is_what_its_body_is() -> None:
    source, _ = function_of_the_same_name()
    b = Builder(["n", 4])
    assert prove(source, b.model(b("Relu", "x")), contract()).proven


def test_what_is_made_twice_is_refused() -> None:
    b = Builder(["n", 4])
    right = b.model(b("Relu", "x"))
    twice = onnx.ModelProto()
    twice.CopyFrom(right)
    twice.graph.node.insert(0, helper.make_node("Neg", ["x"], ["t0_0"]))
    assert "twice" in prove(twice, right, contract()).reason


def test_an_output_that_nothing_is_said_of_is_refused() -> None:
    b = Builder(["n", 4])
    right = b.model(b("Relu", "x"))
    more = onnx.ModelProto()
    more.CopyFrom(right)
    more.graph.output.append(helper.make_tensor_value_info("t0_0", TensorProto.FLOAT, None))
    assert "all inputs and outputs" in prove(right, more, contract()).reason


def sized(where: str) -> onnx.ModelProto:
    """Doubles its output where a call holds fewer than three samples, or as many as `where` makes of that."""
    b = Builder(["n", 4])
    count = b("Gather", b("Shape", "x"), b.constant(0, np.int64))
    few = b("Less", count, b.constant(3, np.int64))
    if where == "where":
        factor = b("Where", few, b.constant(2.0), b.constant(1.0))
    elif where == "cast":
        factor = b("Add", b("Cast", few, to=TensorProto.FLOAT), b.constant(1.0))
    elif where == "gather":
        factor = b("Gather", b.constant([1.0, 2.0]), b("Cast", few, to=TensorProto.INT64))
    elif where == "spread":
        size = b("Unsqueeze", b("Add", b("Cast", few, to=TensorProto.INT64), b.constant(1, np.int64)), b.ints(0))
        factor = b("ReduceSum", b("Expand", b.constant([1.0]), size), b.ints(0), keepdims=0)
    else:
        ends = b("Add", b("Cast", few, to=TensorProto.INT64), b.constant([1], np.int64))
        factor = b(
            "Add", b("ReduceSum", b("Slice", b.constant([0.0, 1.0]), b.ints(0), ends), keepdims=0), b.constant(1.0)
        )
    return b.model(b("Mul", "x", factor))


@pytest.mark.parametrize("where", ["where", "cast", "gather", "slice", "spread"])
def test_a_target_that_is_another_function_at_other_sizes_is_not_proven(where: str) -> None:
    b = Builder(["n", 4])
    found = prove(b.model(b("Identity", "x")), sized(where), contract())
    assert not found.proven


def test_sizes_that_only_shape_are_no_hindrance() -> None:
    a, b = Builder(["n", 4, 6]), Builder(["n", 4, 6])
    one = a.model(a("Flatten", "x"))
    lead = b("Unsqueeze", b("Gather", b("Shape", "x"), b.constant(0, np.int64)), b.ints(0))
    assert prove(one, b.model(b("Reshape", "x", b("Concat", lead, b.ints(-1), axis=0))), contract()).proven


def test_a_constant_that_is_only_spread_is_no_hindrance() -> None:
    """A token before each sample's sequence, as many as there are samples."""

    def model(first: bool) -> onnx.ModelProto:
        b = Builder(["n", 5, 6])
        count = b("Unsqueeze", b("Gather", b("Shape", "x"), b.constant(0, np.int64)), b.ints(0))
        token = b("Expand", b.constant(numbers((1, 1, 6), 1)), b("Concat", count, b.ints(1, 6), axis=0))
        return b.model(b("Concat", *((token, "x") if first else ("x", token)), axis=1))

    assert prove(model(True), model(True), contract()).proven
    assert not prove(model(True), model(False), contract()).proven


def token_in_front(last: bool, turned: bool = False) -> onnx.ModelProto:
    """A token before each sample's sequence, channels last, or second with the token drawn out and then reshaped."""
    b = Builder(["n", 5, 6])
    count = b("Unsqueeze", b("Gather", b("Shape", "x"), b.constant(0, np.int64)), b.ints(0))
    token = b("Expand", b.constant(numbers((1, 1, 6), 1)), b("Concat", count, b.ints(1, 6), axis=0))
    if last:
        return b.model(b("Concat", token, "x", axis=1))
    second = b("Transpose", "x", perm=[0, 2, 1])
    drawn = b("Reshape", token, b.ints(*((6, -1, 1) if turned else (-1, 6, 1))))
    if turned:
        drawn = b("Transpose", drawn, perm=[1, 0, 2])
    return b.model(b("Transpose", b("Concat", drawn, second, axis=2), perm=[0, 2, 1]))


def test_what_is_spread_along_samples_may_be_reshaped_row_by_row() -> None:
    assert prove(token_in_front(True), token_in_front(False), contract()).proven
    assert not prove(token_in_front(True), token_in_front(False, turned=True), contract()).proven


def packed(second: float) -> onnx.ModelProto:
    """Factors of three columns, each beside the sum of as many zeros as there are numbers."""
    b = Builder(["n", 3])
    zeros = b("ReduceSum", b("ConstantOfShape", b("Shape", "x")), b.ints(0, 1), keepdims=0)
    each = [b("Unsqueeze", b("Add", zeros, b.constant(factor)), b.ints(0)) for factor in (0.5, second, 2.0)]
    return b.model(b("Mul", "x", b("Concat", *each, axis=0)))


def test_what_is_joined_along_a_fixed_axis_stays_what_it_is() -> None:
    b = Builder(["n", 3])
    plain = b.model(b("Mul", "x", b.constant([0.5, 1.5, 2.0])))
    assert prove(plain, packed(1.5), contract()).proven
    assert not prove(plain, packed(1.25), contract()).proven


def test_what_is_joined_along_a_free_axis_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """The 60th of as many ones as there are samples and as many twos is a one of 97 or 192, and a two of 50."""
    monkeypatch.setattr("safeconvert.prove.prover.places", lambda graph: [])  # which sees the 60th too
    a, b = Builder(["n", 3]), Builder(["n", 3])
    count = b("Unsqueeze", b("Gather", b("Shape", "x"), b.constant(0, np.int64)), b.ints(0))
    both = b("Concat", *(b("Expand", b.constant([number]), count) for number in (1.0, 2.0)), axis=0)
    place = b("Slice", both, b.ints(60), b.ints(61), b.ints(0))
    assert not prove(a.model(a("Identity", "x")), b.model(b("Mul", "x", place)), contract()).proven


def test_nor_what_is_spread_along_a_second_axis_and_reshaped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of as many ones as there are steps, and as many twos, in one line: its 61st is a one of 97 or 192 steps, and a two of 50."""
    monkeypatch.setattr("safeconvert.prove.prover.places", lambda graph: [])
    a, b = Builder([4, "t"]), Builder([4, "t"])
    count = b("Unsqueeze", b("Gather", b("Shape", "x"), b.constant(1, np.int64)), b.ints(0))
    drawn = b("Expand", b.constant([[[1.0], [2.0]]]), b("Concat", b.ints(4, 2), count, axis=0))
    line = b("Reshape", drawn, b.ints(4, -1))
    place = b("Slice", line, b.ints(60), b.ints(61), b.ints(1))
    assert not prove(a.model(a("Identity", "x")), b.model(b("Mul", "x", place)), contract()).proven


def shifted(by: str) -> onnx.ModelProto:
    """A sum with a bias to which zeros are added, as many as there are samples, or to which their number is."""
    b = Builder(["n", 4])
    many = b("Expand", b.constant([[0.0 if by == "zeros" else 1.0]]), b("Shape", "x"))
    total = b("ReduceSum", many, b.ints(0, 1), keepdims=0)
    return b.model(b("Add", "x", b("Add", total, b.constant([1.0, 2.0, 3.0, 4.0]))))


def test_sums_of_zeros_are_zero_and_others_count() -> None:
    b = Builder(["n", 4])
    plain = b.model(b("Add", "x", b.constant([1.0, 2.0, 3.0, 4.0])))
    assert prove(plain, shifted("zeros"), contract()).proven
    assert not prove(shifted("ones"), shifted("ones"), contract()).proven


def begun_with(state: str) -> onnx.ModelProto:
    """A recurrent layer whose state begins at zero, or at what the number of samples makes of it."""
    b = Builder([7, "n", 3])
    weights = b.constant(numbers((1, 6, 3), 1)), b.constant(numbers((1, 6, 2), 2)), b.constant(numbers((1, 12), 3))
    if state == "none":
        return b.model(b("GRU", "x", *weights, hidden_size=2))
    count = b("Slice", b("Shape", "x"), b.ints(1), b.ints(2))
    form = b("Concat", b.ints(4), count, b.ints(2), axis=0)
    number = b.constant(0.0)
    if state == "counted":
        few = b("Less", b("Squeeze", count), b.constant(3, np.int64))
        number = b("Cast", few, to=TensorProto.FLOAT)
    if state in ("row of zeros", "row of ones", "row of samples"):
        number = b.constant(np.float32([[[0.0]], [[1.0]], [[0.0]], [[0.0]]]))
    if state == "joined ones":
        number = b.constant(1.0)
    many = b("Expand", number, form)
    if state.startswith("joined"):
        many = b("Concat", many, many, axis=0)
    first = int(state == "row of ones")
    ends = b.ints(first), b.ints(first + 1)
    if state == "row of samples":
        row = b("Min", b("Sub", count, b.ints(97)), b.ints(3))
        ends = row, b("Add", row, b.ints(1))
    return b.model(b("GRU", "x", *weights, "", b("Slice", many, *ends), hidden_size=2))


def test_states_of_as_many_zeros_as_samples_are_no_hindrance() -> None:
    for state in ("zeros", "joined zeros"):
        assert prove(begun_with("none"), begun_with(state), contract()).proven


def test_rows_of_what_is_spread_are_spread() -> None:
    assert prove(begun_with("none"), begun_with("row of zeros"), contract()).proven
    assert not prove(begun_with("none"), begun_with("row of ones"), contract()).proven


@pytest.mark.parametrize("state", ["counted", "row of samples", "joined ones"])
def test_states_that_may_be_others_at_other_sizes_are_not_proven(state: str) -> None:
    assert not prove(begun_with("none"), begun_with(state), contract()).proven


def padded_at_odd_sizes() -> Pair:
    """SAME at a stride of two is one place on both sides where a size is odd, and one place behind where it is even."""

    def model(**padding: object) -> onnx.ModelProto:
        b = Builder(["n", 4, "h", "w"])
        return b.model(b("Conv", "x", b.constant(numbers((4, 4, 3, 3), 1)), strides=[2, 2], **padding))

    return model(auto_pad="SAME_UPPER"), model(pads=[1, 1, 1, 1])


def windows_that_fit_odd_sizes() -> Pair:
    def model(ceil: int) -> onnx.ModelProto:
        b = Builder(["n", 4, "h", "w"], opset=19)
        return b.model(b("AveragePool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=ceil))

    return model(0), model(1)


def mean_of_as_many_as_at_hand() -> Pair:
    a, b = Builder(["n", 4, "t"]), Builder(["n", 4, "t"])
    total = b("ReduceSum", "x", b.ints(2), keepdims=0)
    return a.model(a("ReduceMean", "x", axes=[2], keepdims=0)), b.model(b("Mul", total, b.constant(1 / 89)))


def last_of_as_many_as_at_hand() -> Pair:
    def model(start: int) -> onnx.ModelProto:
        b = Builder(["n", 4, "t"])
        return b.model(b("Slice", "x", b.ints(start), b.ints(2**31), b.ints(2)))

    return model(-1), model(88)


def shape_of_the_size_at_hand() -> Pair:
    def model(last: int) -> onnx.ModelProto:
        b = Builder(["n", 4, 5, "t"])
        return b.model(b("Reshape", "x", b.ints(0, 20, last)))

    return model(-1), model(89)


BY_CHANCE = (
    padded_at_odd_sizes, windows_that_fit_odd_sizes, mean_of_as_many_as_at_hand, last_of_as_many_as_at_hand, shape_of_the_size_at_hand,
)  # fmt: skip


@pytest.mark.parametrize("pair", BY_CHANCE, ids=[pair.__name__ for pair in BY_CHANCE])
def test_what_is_equal_by_chance_at_the_sizes_of_a_proof_is_not_proven(pair: Callable[[], Pair]) -> None:
    one, two = pair()
    assert prove(one, one, contract()).proven
    assert not prove(one, two, contract()).proven


def spread_positions(how: str) -> onnx.ModelProto:
    """Rows of a table by places that are drawn out along the samples, in places under a mask; or by the number of a sample."""
    b = Builder(["n", 4])
    count = b("Gather", b("Shape", "x"), b.constant(0, np.int64))
    table = b.constant(numbers((200, 4), 1))
    if how == "by the number of a sample":
        return b.model(
            b("Add", "x", b("Gather", table, b("Range", b.constant(0, np.int64), count, b.constant(1, np.int64))))
        )
    places = b("Expand", b.ints(7), b("Unsqueeze", count, b.ints(0)))
    rows = b("Gather", table, places)
    hidden = b("And", b("Less", rows, b.constant(0.5)), b("GreaterOrEqual", rows, b.constant(-0.5)))
    return b.model(b("Add", "x", b("Where", hidden, b.constant(0.0), rows)))


def test_rows_by_places_that_are_only_spread_are_no_hindrance() -> None:
    model = spread_positions("")
    assert prove(model, model, contract()).proven
    assert not prove(
        spread_positions("by the number of a sample"), spread_positions("by the number of a sample"), contract()
    ).proven


def windowed(width: int) -> onnx.ModelProto:
    """Hides what lies at least so many steps from the first: at a hundred steps a wide window shows nothing of itself."""
    b = Builder([1, "t"])
    count = b("Gather", b("Shape", "x"), b.constant(1, np.int64))
    places = b("Range", b.constant(0, np.int64), count, b.constant(1, np.int64))
    return b.model(b("Where", b("Less", places, b.constant(width, np.int64)), "x", b.constant(0.0)))


def of_a_run(*shape: int) -> Contract:
    [one], two = contract().inputs, contract().outputs
    return Contract((replace(one, source=TensorSpec("x", shape, "float32")),), two, ())


def test_what_is_another_function_at_larger_sizes_is_proven_for_the_sizes_of_the_run_alone() -> None:
    wide, wider = windowed(500), windowed(600)
    assert not prove(wide, wider, contract()).proven
    found = prove(wide, wider, of_a_run(1, 7))
    assert found.proven and found.alone
    assert found.sizes == {"x": (1, 7)}
    claimed = {**found.document, "statement": {**found.document["statement"], "alone": False}}
    with pytest.raises(Refused):
        check(wide, wider, claimed)
    assert not prove(windowed(5), windowed(6), of_a_run(1, 7)).proven


def test_a_proof_for_all_sizes_is_not_given_up_for_one_of_a_run() -> None:
    b = Builder(["n", 4])
    model = b.model(b("Relu", "x"))
    assert not prove(model, model, of_a_run(3, 4)).alone


def first_fifty(as_mean: bool) -> onnx.ModelProto:
    """The sum of the first fifty steps, or fifty times their mean."""
    b = Builder(["n", 4, "t"])
    first = b("Slice", "x", b.ints(0), b.ints(50), b.ints(2))
    if as_mean:
        return b.model(b("Mul", b("ReduceMean", first, axes=[2], keepdims=0), b.constant(50.0)))
    return b.model(b("ReduceSum", first, b.ints(2), keepdims=0))


def test_a_place_along_a_free_axis_is_there_at_the_sizes_of_the_run_alone() -> None:
    one, two = first_fifty(False), first_fifty(True)
    assert not prove(one, two, contract()).proven, "below fifty steps they differ"
    found = prove(one, two, of_a_run(1, 4, 60))
    assert found.proven and found.alone
    assert not prove(one, two, of_a_run(1, 4, 30)).proven


@pytest.mark.parametrize("place", [0, 1, -1])
def test_the_ends_of_a_free_axis_are_there_at_all_sizes(place: int) -> None:
    b = Builder(["n", 4, "t"])
    model = b.model(b("Gather", b("Slice", "x", b.ints(1), b.ints(-1), b.ints(2)), b.constant(place, np.int64), axis=2))
    assert prove(model, model, contract()).proven


def _length(b: Builder, axis: int = 2) -> str:
    return str(b("Slice", b("Shape", "x"), b.ints(axis), b.ints(axis + 1)))


def as_many_as(decide: Callable[[Builder, str], str] | None, number: int) -> onnx.ModelProto:
    """As many ones as a length decides, or a number of them, in front of the sum of all."""
    b = Builder(["n", 4, "t"])
    count = b.ints(number) if decide is None else decide(b, _length(b))
    total = b("Reshape", b("ReduceSum", "x", keepdims=0), b.ints(1))
    return b.model(b("Concat", b("Expand", b.constant(1.5), count), total, axis=0))


@pytest.mark.parametrize(
    ("decide", "number"),
    [
        (lambda b, n: b("Min", n, b.ints(50)), 50),
        (lambda b, n: b("Max", n, b.ints(300)), 300),
        (lambda b, n: b("Add", b("Div", n, b.ints(1000)), b.ints(3)), 3),
        (lambda b, n: b("Where", b("Less", n, b.ints(500)), b.ints(7), n), 7),
        (lambda b, n: b("Cast", b("Min", b("Cast", n, to=TensorProto.FLOAT), b.constant([20.0])), to=TensorProto.INT64), 20),
    ],
)  # fmt: skip
def test_what_a_free_size_decides_is_decided_so_at_some_sizes_alone(
    decide: Callable[[Builder, str], str], number: int
) -> None:
    assert not prove(as_many_as(decide, 0), as_many_as(None, number), contract()).proven
    found = prove(as_many_as(decide, 0), as_many_as(None, number), of_a_run(1, 4, 60))
    assert found.proven and found.alone


def test_of_two_free_sizes_the_smaller_one_is_no_certain_one() -> None:
    def model(least: bool) -> onnx.ModelProto:
        b = Builder(["n", "h", "w"])
        count = b("Min", _length(b, 1), _length(b)) if least else _length(b)
        total = b("Reshape", b("ReduceSum", "x", keepdims=0), b.ints(1))
        return b.model(b("Concat", b("Expand", b.constant(1.5), count), total, axis=0))

    assert not prove(model(True), model(False), contract()).proven


def test_what_formats_hold_sizes_against_decides_nothing() -> None:
    """The shape that an export expands to is held against -1."""

    def expanded(plain: bool) -> onnx.ModelProto:
        b = Builder(["n", 4, "t"])
        shape = b("Shape", "x")
        if not plain:
            shape = b("Where", b("Equal", shape, b.ints(-1, -1, -1)), b.ints(1, 1, 1), shape)
        return b.model(b("Mul", "x", b("Expand", b.constant(2.0), shape)))

    found = prove(expanded(False), expanded(True), contract())
    assert found.proven and not found.alone
