"""A counterexample is found where the target has another constant or attribute, and none of a right target."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest

from safeconvert.prove.disprove import Tolerances, counterexample
from safeconvert.prove.prover import prove
from tests.prove.graphs import Builder, contract, numbers
from tests.prove.test_axioms import batchnorm_folded

Pair = tuple[onnx.ModelProto, onnx.ModelProto]


def ties() -> Pair:
    """The first or the last of equal numbers, which there are where the Relu made all of them zero."""

    def model(last: int) -> onnx.ModelProto:
        b = Builder(["n", 8])
        made = b("Relu", b("MatMul", "x", b.constant(numbers((8, 6), 4))))
        return b.model(
            b("Cast", b("ArgMax", made, axis=1, keepdims=0, select_last_index=last), to=onnx.TensorProto.FLOAT)
        )

    return model(0), model(1)


def rare_row() -> Pair:
    def model(change: float) -> onnx.ModelProto:
        b = Builder(["n", 3], dtype=onnx.TensorProto.INT64)
        table = numbers((5000, 4), 1)
        table[4321] += np.float32(change)
        return b.model(b("Gather", b.constant(table), "x"))

    return model(0.0), model(0.1)


def small_variance() -> Pair:
    def model(epsilon: float) -> onnx.ModelProto:
        b = Builder(["n", 8])
        return b.model(b("LayerNormalization", "x", b.constant(np.ones(8)), b.constant(np.zeros(8)), epsilon=epsilon))

    return model(1e-5), model(1e-3)


def found(pair: Pair, given: np.ndarray) -> list[np.ndarray] | None:
    ended = prove(*pair, contract()).unproven
    return counterexample(pair, contract(), [given], ended, Tolerances(1e-4, 1e-5))


@pytest.mark.parametrize("pair", [ties, small_variance], ids=lambda pair: pair.__name__)
def test_a_counterexample_is_found(pair: Callable[[], Pair]) -> None:
    [inputs] = found(pair(), 40 * np.abs(numbers((40, 8), 3))) or [None]
    assert inputs is not None and inputs.shape == (40, 8)


def test_a_row_that_is_rarely_read_is_found() -> None:
    [inputs] = found(rare_row(), np.arange(30).reshape(10, 3)) or [None]
    assert inputs is not None and (inputs == 4321).any()


def test_few_other_numbers_are_told_and_another_order_is_not() -> None:
    def model(weights: np.ndarray) -> onnx.ModelProto:
        b = Builder(["n", 8])
        return b.model(b("MatMul", "x", b.constant(weights)))

    weights = numbers((8, 6), 1)
    changed = weights.copy()
    changed[3, :2] *= 2
    [few] = prove(model(weights), model(changed), contract()).unproven
    [order] = prove(model(weights), model(weights[::-1]), contract()).unproven
    assert (few.others, order.others, order.differs) == ("2 of 48", "", True)


def test_of_a_right_target_none_is_found() -> None:
    assert found(batchnorm_folded(), numbers((4, 3, 8, 8), 1)) is None
