"""Recurrent layers as one operator, step by step and as loops are one term, where they are one function, and none where they are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest

from safeconvert.prove.prover import prove
from tests.prove.graphs import Builder, contract
from tests.prove.recurrent import Weights, body, drawn, looped, operator

STEPS, BATCH, INPUTS, UNITS = 4, 2, 3, 5
FORMS = [("LSTM", True), ("GRU", True), ("GRU", False), ("RNN", True)]


def settings(kind: str, after: bool) -> dict[str, int]:
    return {"linear_before_reset": int(after)} if kind == "GRU" else {}


def layer(kind: str, after: bool, seed: int = 0, **others: object) -> onnx.ModelProto:
    b = Builder([STEPS, BATCH, INPUTS])
    made = operator(
        b, "x", [drawn(kind, np.random.default_rng(seed), INPUTS, UNITS)], **settings(kind, after), **others
    )
    return b.model(b("Squeeze", made[0], b.ints(1)))


def stacked(
    kind: str, after: bool, change: Callable[[Weights], Weights] = lambda w: w, back: bool = False
) -> onnx.ModelProto:
    b = Builder([STEPS, BATCH, INPUTS])
    w = change(drawn(kind, np.random.default_rng(0), INPUTS, UNITS))
    states = body(b, "x", w, after, back, STEPS)
    return b.model(b("Concat", *(b("Unsqueeze", state, b.ints(0)) for state in states), axis=0))


def agree(one: onnx.ModelProto, two: onnx.ModelProto) -> bool:
    shape = [d.dim_value or 3 for d in one.graph.input[0].type.tensor_type.shape.dim]
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    made = [
        onnxruntime.InferenceSession(m.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
        for m in (one, two)
    ]
    return np.allclose(*made, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("kind", "after"), FORMS)
@pytest.mark.parametrize("back", [False, True])
def test_an_operator_is_its_steps(kind: str, after: bool, back: bool) -> None:
    source = layer(kind, after, direction="reverse" if back else "forward")
    target = stacked(kind, after, back=back)
    assert agree(source, target)
    found = prove(source, target, contract())
    assert found.proven, found.reason
    assert "recurrent layers step by step" in found.axioms


@pytest.mark.parametrize(("kind", "after"), FORMS)
def test_both_directions_are_joined(kind: str, after: bool) -> None:
    r = np.random.default_rng(3)
    sides = [drawn(kind, r, INPUTS, UNITS) for _ in range(2)]
    one, two = Builder([STEPS, BATCH, INPUTS]), Builder([STEPS, BATCH, INPUTS])
    made = operator(one, "x", sides, direction="bidirectional", **settings(kind, after))
    whole = one("Reshape", one("Transpose", made[0], perm=[0, 2, 1, 3]), one.ints(STEPS, BATCH, 2 * UNITS))
    runs = [body(two, "x", w, after, bool(side), STEPS) for side, w in enumerate(sides)]
    each = [two("Concat", *(two("Unsqueeze", state, two.ints(0)) for state in run), axis=0) for run in runs]
    source, target = one.model(whole), two.model(two("Concat", *each, axis=2))
    assert agree(source, target)
    assert prove(source, target, contract()).proven
    swapped = two.model(two("Concat", *each[::-1], axis=2))
    assert not prove(source, swapped, contract()).proven


def test_a_layer_on_a_layer_and_its_last_state() -> None:
    r = np.random.default_rng(5)
    first, second = drawn("LSTM", r, INPUTS, UNITS), drawn("GRU", r, UNITS, 2)
    one, two = Builder(["n", STEPS, INPUTS]), Builder(["n", STEPS, INPUTS])
    below = one("Squeeze", operator(one, one("Transpose", "x", perm=[1, 0, 2]), [first])[0], one.ints(1))
    last = one("Squeeze", operator(one, below, [second], linear_before_reset=1)[1], one.ints(0))
    states = body(two, two("Transpose", "x", perm=[1, 0, 2]), first, True, False, STEPS)
    above = two("Concat", *(two("Unsqueeze", state, two.ints(0)) for state in states), axis=0)
    source, target = one.model(last), two.model(body(two, above, second, True, False, STEPS)[-1])
    assert agree(source, target)
    found = prove(source, target, contract())
    assert found.proven, found.reason
    assert found.sizes["x"][0] == 97


CHANGES: dict[str, Callable[[Weights], Weights]] = {
    "two gates change places": lambda w: replace(w, input=np.roll(w.input, UNITS, 0)),
    "the state's weights are turned": lambda w: replace(
        w, own=np.concatenate([part.T for part in np.split(w.own, len(w.own) // UNITS)])
    ),
    "a bias is lost": lambda w: replace(w, biases=w.biases * np.array([[1.0], [0.0]])),
    "one weight": lambda w: replace(w, own=w.own + np.eye(*w.own.shape) * 1e-3),
}


SPOILED = [
    (*form, change) for form in FORMS for change in CHANGES if form[0] != "RNN" or not change.startswith("two gates")
]


@pytest.mark.parametrize(("kind", "after", "change"), SPOILED)
def test_steps_with_a_fault_are_not_proven(kind: str, after: bool, change: str) -> None:
    wrong = stacked(kind, after, CHANGES[change])
    assert not agree(layer(kind, after), wrong)
    assert not prove(layer(kind, after), wrong, contract()).proven


@pytest.mark.parametrize(("kind", "after"), FORMS)
def test_the_other_direction_is_not_proven(kind: str, after: bool) -> None:
    assert not prove(layer(kind, after), stacked(kind, after, back=True), contract()).proven


def test_a_gate_resets_the_product_or_the_state() -> None:
    assert not prove(layer("GRU", True), stacked("GRU", False), contract()).proven
    assert not prove(layer("GRU", False), stacked("GRU", True), contract()).proven


@pytest.mark.parametrize("others", [{"clip": 0.1}, {"activations": ["Sigmoid", "Relu", "Tanh"]}, {"input_forget": 1}])
def test_settings_are_not_passed_over(others: dict[str, object]) -> None:
    assert not prove(layer("LSTM", True, **others), stacked("LSTM", True), contract()).proven


def loop(kind: str, steps: int = STEPS) -> onnx.ModelProto:
    b = Builder([STEPS, BATCH, INPUTS])
    return b.model(looped(b, "x", drawn(kind, np.random.default_rng(0), INPUTS, UNITS), BATCH, steps))


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_a_loop_is_its_steps(kind: str) -> None:
    assert agree(loop(kind), stacked(kind, True))
    assert prove(loop(kind), stacked(kind, True), contract()).proven
    assert prove(layer(kind, True), loop(kind), contract()).proven


def test_a_loop_that_ends_elsewhere_is_another() -> None:
    one, two = Builder([STEPS, BATCH, INPUTS]), Builder([STEPS, BATCH, INPUTS])
    w = drawn("GRU", np.random.default_rng(0), INPUTS, UNITS)
    models = [b.model(b("ReduceSum", looped(b, "x", w, BATCH, steps), b.ints(0))) for b, steps in ((one, 4), (two, 3))]
    assert not agree(*models)
    assert not prove(*models, contract()).proven


def free(count: str) -> onnx.ModelProto:
    """A loop that doubles its state so often as there are samples, or four times."""
    b = Builder(["n", 3])
    inner = [
        onnx.helper.make_node("Mul", ["state", "two"], ["twice"]),
        onnx.helper.make_node("Identity", ["go"], ["on"]),
    ]
    kinds = (("step", onnx.TensorProto.INT64, []), ("go", onnx.TensorProto.BOOL, []), ("state", b.dtype, None))
    inputs = [onnx.helper.make_tensor_value_info(*one) for one in kinds]
    outputs = [
        onnx.helper.make_tensor_value_info(*one)
        for one in (("on", onnx.TensorProto.BOOL, []), ("twice", b.dtype, None))
    ]
    two = onnx.numpy_helper.from_array(np.float32(2.0), "two")
    body = onnx.helper.make_graph(inner, "body", inputs, outputs, [two])
    number = b.constant(4, np.int64)
    if count == "samples":
        number = b("Squeeze", b("Min", b("Slice", b("Shape", "x"), b.ints(0), b.ints(1)), b.ints(4)))
    return b.model(b("Loop", number, "", "x", body=body))


def test_a_loop_of_as_many_steps_as_samples_is_not_proven() -> None:
    """At the proof's size both loops take four steps."""
    b = Builder(["n", 3])
    right = b.model(b("Mul", "x", b.constant(16.0)))
    assert prove(free("four"), right, contract()).proven
    assert not prove(free("samples"), right, contract()).proven


def branched(taken: bool) -> onnx.ModelProto:
    b = Builder(["n", 3])
    graphs = {}
    for name, operator_name in (("then_branch", "Tanh"), ("else_branch", "Sin")):
        node = onnx.helper.make_node(operator_name, ["x"], [f"{name}_y"])
        graphs[name] = onnx.helper.make_graph(
            [node], name, [], [onnx.helper.make_tensor_value_info(f"{name}_y", b.dtype, None)]
        )
    return b.model(b("If", b.constant(taken, np.bool_), **graphs))


def test_a_branch_that_a_constant_chooses_is_its_nodes() -> None:
    b = Builder(["n", 3])
    plain = b.model(b("Tanh", "x"))
    assert prove(plain, branched(True), contract()).proven
    assert not prove(plain, branched(False), contract()).proven


def both_directions(kind: str, how: str) -> onnx.ModelProto:
    """A layer of both directions on sequences of free length: as one operator, or as two, one of which reads the sequence from its end."""
    b = Builder(["steps", "batch", INPUTS])
    r = np.random.default_rng(0)
    sides = [drawn(kind, r, INPUTS, UNITS) for _ in range(2)]
    if how == "one":
        made = operator(b, "x", sides, direction="bidirectional")[0]
        return b.model(b("Reshape", b("Transpose", made, perm=[0, 2, 1, 3]), b.ints(0, 0, 2 * UNITS)))

    def turned(x: str) -> str:
        return str(b("Slice", x, *(b.ints(number) for number in (-1, -(2**62), 0, -1))))

    first = operator(b, "x", sides[:1])[0]
    back = {
        "turned": lambda: turned(operator(b, turned("x"), sides[1:])[0]),
        "reverse": lambda: operator(b, "x", sides[1:], direction="reverse")[0],
        "not turned again": lambda: operator(b, turned("x"), sides[1:])[0],
        "forward": lambda: operator(b, "x", sides[1:])[0],
    }[how]()
    return b.model(b("Concat", *(b("Squeeze", one, b.ints(1)) for one in (first, back)), axis=2))


@pytest.mark.parametrize(
    ("kind", "how", "right"),
    [
        ("LSTM", "turned", True), ("LSTM", "not turned again", False), ("GRU", "reverse", True), ("GRU", "forward", False),
        ("RNN", "turned", True), ("RNN", "reverse", True), ("RNN", "not turned again", False), ("RNN", "forward", False),
    ],
)  # fmt: skip
def test_both_directions_of_free_length_are_two_layers(kind: str, how: str, right: bool) -> None:
    assert prove(both_directions(kind, "one"), both_directions(kind, how), contract()).proven == right
