"""Whatever is proven of random graphs is equal when they run: the target is the source rewritten at random, sometimes wrongly."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconvert.prove.prover import prove
from tests.prove.graphs import Builder, contract, numbers

OPERATORS = (
    "conv", "depthwise", "bn", "relu", "clip", "add", "mul", "sigmoid", "pool", "avg", "residual", "gate", "concat", "pad",
    "transpose", "square", "neg", "leaky",
)  # fmt: skip


def build(steps: list[str], seed: int, change: tuple[int, str]) -> onnx.ModelProto:
    """A chain of operators on (n, 4, 6, 6); `change` spoils the step of its number in the way of its word."""
    b = Builder(["n", 4, 6, 6])
    at, how = change
    tensor = previous = "x"
    for number, step in enumerate(steps):
        k = seed + 10 * number
        spoiled = how if number == at else ""
        before = tensor
        factor = np.float32(1.02) if spoiled == "number" else np.float32(1)
        other = spoiled == "attribute"
        match step:
            case "conv":
                pads = [0, 0, 2, 2] if other else [1, 1, 1, 1]
                w = numbers((4, 4, 3, 3), k)
                w[0, 0, 0, 0] *= factor
                tensor = b("Conv", tensor, b.constant(w), b.constant(numbers((4,), k + 1)), pads=pads)
            case "depthwise":
                w = numbers((4, 1, 3, 3), k) * factor
                tensor = b("Conv", tensor, b.constant(w), group=4, pads=[1, 1, 1, 1], dilations=[1, 1])
            case "bn":
                gamma, beta, mean, var = (numbers((4,), k + i) for i in range(4))
                tensor = b(
                    "BatchNormalization", tensor, b.constant(gamma * factor), b.constant(beta), b.constant(mean),
                    b.constant(var**2 + 0.1), epsilon=1e-2 if other else 1e-5,
                )  # fmt: skip
            case "relu":
                tensor = b("Relu", tensor) if not other else b("Abs", tensor)
            case "clip":
                tensor = b("Clip", tensor, b.constant(0.0), b.constant(6.0 * float(factor)))
            case "add" | "mul":
                shape = (4, 1, 1) if not other else (1, 6, 1)
                tensor = b("Add" if step == "add" else "Mul", tensor, b.constant(numbers(shape, k) * factor))
            case "sigmoid":
                tensor = b("Sigmoid" if not other else "Tanh", tensor)
            case "pool":
                tensor = b("MaxPool", tensor, kernel_shape=[3, 3], pads=[0, 0, 2, 2] if other else [1, 1, 1, 1])
            case "avg":
                tensor = b("AveragePool", tensor, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=int(other))
            case "residual":
                tensor = b("Add", tensor, previous)
            case "gate":
                tensor = b("Mul", tensor, b("Sigmoid", previous))
            case "concat":
                both = b("Concat", *([tensor, previous] if not other else [previous, tensor]), axis=1)
                tensor = b("Conv", both, b.constant(numbers((4, 8, 1, 1), k) * factor))
            case "pad":
                padded = b("Pad", tensor, b.ints(0, 0, 1, 1, 0, 0, 1, 1), b.constant(0.5 if other else 0.0))
                tensor = b("Conv", padded, b.constant(numbers((4, 4, 3, 3), k)))
            case "transpose":
                tensor = b("Transpose", tensor, perm=[0, 1, 3, 2])
            case "square":
                tensor = b("Mul", tensor, tensor) if not other else b("Pow", tensor, b.constant(3.0))
            case "neg":
                tensor = b("Neg", tensor) if not other else tensor
            case "leaky":
                tensor = b("LeakyRelu", tensor, alpha=0.2 if other else 0.1)
        previous = before
    return b.model(tensor)


def channels_last(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph behind and before Transposes, its input and output channels last."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    for node in graph.node:
        node.input[:] = ["x_first" if name == "x" else name for name in node.input]
        node.output[:] = ["y_first" if name == "y" else name for name in node.output]
    graph.node.insert(0, onnx.helper.make_node("Transpose", ["x"], ["x_first"], perm=[0, 3, 1, 2]))
    graph.node.append(onnx.helper.make_node("Transpose", ["y_first"], ["y"], perm=[0, 2, 3, 1]))
    graph.input[0].CopyFrom(onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["n", 6, 6, 4]))
    return made


def outputs(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(OPERATORS), min_size=1, max_size=6),
    st.integers(0, 1000),
    st.integers(0, 5),
    st.sampled_from(["", "number", "attribute"]),
    st.booleans(),
)
def test_what_is_proven_is_equal(steps: list[str], seed: int, at: int, how: str, last: bool) -> None:
    source, target = build(steps, seed, (-1, "")), build(steps, seed, (at, how))
    if last:
        target = channels_last(target)
    order = (0, 2, 3, 1) if last else None
    found = prove(source, target, contract(order, order))
    x = numbers((3, 4, 6, 6), seed + 7)
    ours, theirs = outputs(source, x), outputs(target, x if not last else np.ascontiguousarray(x.transpose(0, 2, 3, 1)))
    ours = ours.transpose(0, 2, 3, 1) if last else ours
    apart = float(np.abs(ours - theirs).max() / max(float(np.abs(ours).max()), 1e-30))
    if found.proven:
        assert apart < 1e-4, (steps, at, how)
    if not how or at >= len(steps):
        assert found.proven, (steps, found.unproven)
