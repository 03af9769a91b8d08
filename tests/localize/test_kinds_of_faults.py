"""Faults that were named wrongly once: at which node, as what, and in how many pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from safeconvert.graph.view import tidy
from safeconvert.localize.variants import expand_batchnorm, fold_batchnorm
from safeconvert.repair.engine.loop import Repair
from tests.engine import solve
from tests.inject import renamed
from tests.onnx_models import NETS, cnn, inception, mlp, model, random


def copied(made: onnx.ModelProto) -> onnx.ModelProto:
    return onnx.ModelProto.FromString(made.SerializeToString())


def value(made: onnx.ModelProto, name: str) -> np.ndarray:
    return numpy_helper.to_array(next(tensor for tensor in made.graph.initializer if tensor.name == name))


def put(made: onnx.ModelProto, name: str, array: np.ndarray) -> None:
    tensor = next(tensor for tensor in made.graph.initializer if tensor.name == name)
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array), name))


def left_out(made: onnx.ModelProto, gone: str) -> onnx.ModelProto:
    """The net without a node, whose readers read its first input."""
    target = copied(made)
    node = next(node for node in target.graph.node if node.name == gone)
    for other in target.graph.node:
        other.input[:] = [node.input[0] if name == node.output[0] else name for name in other.input]
    target.graph.node.remove(node)
    return target


def localized(
    source: onnx.ModelProto, target: onnx.ModelProto, shape: tuple[int, ...], folder: Path
) -> tuple[Repair, dict]:
    """What the engine finds, and by its node names the injected ones'."""
    view, names = renamed(tidy(target))
    found = solve(source, view, {"x": random(10, *shape)}, folder)
    assert found.after.equal, (found.ended, found.faults)
    assert all(fault.proven for fault in found.faults)
    return found, {new: old for old, new in names.items()}


@pytest.mark.parametrize("rewrite", [fold_batchnorm, expand_batchnorm], ids=["folded", "expanded"])
@pytest.mark.parametrize("other", [1e-5, 4.2e-4])
def test_an_epsilon_in_folded_weights_is_a_hyperparameter(rewrite: object, other: float, tmp_path: Path) -> None:
    source = cnn()
    put(source, "variance", np.abs(random(8, seed=4)) * 0.02 + 0.001)
    right, wrong = copied(source), copied(source)
    for made, epsilon in ((right, 1e-3), (wrong, other)):
        norm = next(node for node in made.graph.node if node.op_type == "BatchNormalization")
        norm.attribute.append(helper.make_attribute("epsilon", epsilon))
    found, _ = localized(right, rewrite(tidy(wrong)).model, (3, 12, 12), tmp_path)  # type: ignore[operator]
    (fault,) = found.faults
    assert (fault.kind, fault.source) == ("LH", "norm1")
    assert fault.evidence.startswith(f"epsilon: 0.001 in the source, {other:.2g}"[:40])


def test_weights_behind_a_batchnorm_stay_weights(tmp_path: Path) -> None:
    source = cnn()
    target = copied(source)
    changed = value(target, "w1").copy()
    changed[0, 0, 0, 0] += 0.5
    put(target, "w1", changed)
    found, _ = localized(source, fold_batchnorm(tidy(target)).model, (3, 12, 12), tmp_path)
    assert {fault.kind for fault in found.faults} == {"WB"}


@pytest.mark.parametrize(("made", "gone", "shape"), [(mlp, "bias1", (12,)), (mlp, "bias2", (12,))])
def test_a_dropped_bias_is_one_fault_of_weights(
    made: object, gone: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    source = made()  # type: ignore[operator]
    found, _ = localized(source, left_out(source, gone), shape, tmp_path)
    (fault,) = found.faults
    assert (fault.kind, fault.source, fault.change) == ("WB", gone, "missing")


def test_a_residual_sum_that_is_missing_is_named(tmp_path: Path) -> None:
    source = cnn()
    found, _ = localized(source, left_out(source, "sum"), (3, 12, 12), tmp_path)
    (fault,) = found.faults
    assert (fault.kind, fault.source, fault.change) == ("CG", "sum", "missing")
    assert fault.evidence == "Add, which the target does not have"


def test_weights_that_are_wrong_beside_a_moved_branch_are_named(tmp_path: Path) -> None:
    """Two of three branches have height and width swapped, so that the third, whose weights are wrong too, seems to be the one that is not."""
    source = inception()
    target = copied(source)
    put(target, "w2", value(target, "w2") * np.where(random(6, 8, 3, 3, seed=3) > 1, 2, 1).astype(np.float32))
    for name in ("branch1", "branch3"):
        node = next(node for node in target.graph.node if node.name == name)
        moved = helper.make_node("Transpose", [node.input[0]], [f"{name}::moved"], f"{name}::moved", perm=[0, 1, 3, 2])
        node.input[0] = moved.output[0]
        target.graph.node.insert(list(target.graph.node).index(node), moved)
    found, names = localized(source, target, (3, 16, 16), tmp_path)
    assert ("WB", "branch2") in [(fault.kind, names.get(fault.target)) for fault in found.faults]
    assert "CG" not in {fault.kind for fault in found.faults}


def test_swapped_gates_are_said_to_be_swapped(tmp_path: Path) -> None:
    make, shape = NETS["lstm"]
    source, target = make(), make()
    node = next(node for node in target.graph.node if node.op_type == "LSTM")
    for index, blocks in ((1, 4), (2, 4), (3, 8)):
        array = value(target, node.input[index])
        order = [0, 2, 1, 3] if blocks == 4 else [0, 2, 1, 3, 4, 6, 5, 7]
        parts = array.reshape(array.shape[0], blocks, array.shape[1] // blocks, -1)[:, order]
        put(target, node.input[index], parts.reshape(array.shape))
    found, _ = localized(source, target, shape, tmp_path)
    assert {(fault.kind, fault.operator) for fault in found.faults} == {("WB", "LSTM")}
    assert all(fault.evidence.endswith("the gates are in the order ifoc") for fault in found.faults)


def cancelling(width: int = 64) -> onnx.ModelProto:
    """Large activations of which the last product keeps only how they differ: it amplifies what is off in front of it."""
    r = np.random.default_rng(1)

    def weights(rows: int, columns: int, scale: float) -> np.ndarray:
        return (scale * r.normal(size=(rows, columns)) / np.sqrt(rows)).astype(np.float32)

    last = weights(width, 6, 1.0)
    constants = {
        "w0": weights(width, width, 1.0), "w1": weights(width, width, 0.3), "w2": last - last.mean(0, keepdims=True),
        "b0": np.full(width, 0.5, np.float32), "b1": np.full(width, 5.0, np.float32),
    }  # fmt: skip
    nodes, front = [], "x"
    for number in range(2):
        nodes.append(helper.make_node("MatMul", [front, f"w{number}"], [f"m{number}"], f"product{number}"))
        nodes.append(helper.make_node("Add", [f"m{number}", f"b{number}"], [f"a{number}"], f"bias{number}"))
        nodes.append(helper.make_node("Relu", [f"a{number}"], [f"r{number}"], f"relu{number}"))
        front = f"r{number}"
    nodes.append(helper.make_node("MatMul", [front, "w2"], ["y"], "product2"))
    return model(nodes, {"x": ["N", width]}, ["y"], constants)


@pytest.mark.parametrize("layer", [0, 1])
def test_a_rounded_layer_is_named_and_not_the_last_one_that_amplifies_it(layer: int, tmp_path: Path) -> None:
    source = cancelling()
    target = copied(source)
    put(target, f"w{layer}", value(target, f"w{layer}").astype(np.float16).astype(np.float32))
    found, names = localized(source, target, (64,), tmp_path)
    assert {names[fault.target] for fault in found.faults} == {f"product{layer}"}
