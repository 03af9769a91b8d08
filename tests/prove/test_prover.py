"""The prover's own choices, which no claim rests on: which axioms are tried, and how large constants are held while it looks for cut points."""

from __future__ import annotations

import numpy as np
import onnx

from safeconvert.prove.kernel.terms import near
from safeconvert.prove.prover import prove
from safeconvert.prove.search import Lean
from tests.prove.graphs import Builder, contract, numbers


def blocks(apart: bool) -> onnx.ModelProto:
    """Two sums of products, of which the factors are columns of one product with a matrix, or products of their own."""
    b = Builder(["n", 6, 4])
    x = "x"
    for seed in range(2):
        weights = numbers((4, 8), seed)
        if apart:
            one, two = (b("MatMul", x, b.constant(part)) for part in np.split(weights, 2, axis=1))
        else:
            one, two = b("Split", b("MatMul", x, b.constant(weights)), b.ints(4, 4), outputs=2, axis=2)
        x = b("Relu", b("Add", x, b("Mul", one, b("Tanh", two))))
    return b.model(x)


def test_columns_of_a_product_are_proven_from_one_block_to_the_next() -> None:
    found = prove(blocks(apart=False), blocks(apart=True), contract())
    assert found.proven and len(found.document["steps"]) > 2
    assert all(step["from"] != [0] for step in found.document["steps"][-2:])


def gelus(spelled: bool, sign: float = -1.0, sum_of: str = "Sub") -> onnx.ModelProto:
    """Three layers with a Gelu each, which a target spells by erfc as exporters of TensorFlow do: x/2·(1 - erf(-x/√2))."""
    b = Builder(["n", 6], opset=20)
    x = "x"
    for seed in range(3):
        x = b("Add", b("MatMul", x, b.constant(numbers((6, 6), seed))), b.constant(numbers((6,), seed + 3)))
        if not spelled:
            x = b("Gelu", x)
            continue
        error = b("Erf", b("Mul", b("Mul", x, b.constant(sign)), b.constant(np.sqrt(0.5))))
        x = b("Mul", b("Mul", b.constant(0.5), x), b(sum_of, b.constant(1.0), error))
    return b.model(x)


def test_a_gelu_by_erfc_is_one_in_the_midst_of_a_graph() -> None:
    """Of a sum of products neither sign is the first: the largest weight says which is read."""
    assert prove(gelus(False), gelus(True), contract()).proven
    assert prove(gelus(False), gelus(True, 1.0, "Add"), contract()).proven
    assert not prove(gelus(False), gelus(True, 1.0), contract()).proven
    assert not prove(gelus(False), gelus(True, -1.0, "Add"), contract()).proven


def test_large_constants_are_rounded_where_cut_points_are_looked_for() -> None:
    weights = np.random.default_rng(0).normal(size=(100, 100))
    made = Lean().term("contract", (100,), (), (), [near(weights)])
    assert made.constants[0].values.dtype == np.float32
    with np.errstate(all="ignore"):  # as the prover works
        huge = Lean().term("contract", (100,), (), (), [near(weights * 1e60)])
    assert huge.constants[0].values.dtype == np.float64
