"""An exporter's graph beside the layers of its native model: which of its nodes are named where a layer, or two on end, are wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from safeconvert.adapter_api.intermediates import NativeTensor
from safeconvert.core.signature import Signature
from safeconvert.graph.execution import run_part
from safeconvert.graph.view import tidy
from safeconvert.localize.findings import ExportFault
from safeconvert.localize.native import Observed, align_native, export_faults
from safeconvert.verification.native import unchanged_contract
from tests.engine import specs
from tests.onnx_models import model


def weights(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32) / 2


def faults(
    right: onnx.ModelProto, wrong: onnx.ModelProto, layers: dict[str, str], shape: tuple[int, ...], folder: Path
) -> tuple[ExportFault, ...]:
    """What is found in the wrong graph, where the native model shows the right one's tensors as these layers.

    Args:
        right, wrong: as the native model computes, and as an exporter wrote it.
        layers: by tensor of the right graph, the layer that gives it, in order.
        shape: of one call.
        folder: where the tensors go.
    """
    view = tidy(right)
    feeds = tuple({"x": np.random.default_rng(seed).normal(size=shape).astype(np.float32)} for seed in range(3))
    values = run_part(view, feeds)
    tensors, before = [], "x"
    for tensor, layer in layers.items():
        files = []
        for number, found in enumerate(values):
            files.append(str(folder / f"{tensor}-{number}.npy"))
            np.save(files[-1], found[tensor])
        tensors.append(NativeTensor(layer, "layer", tensor, (before,), tuple(files)))
        before = tensor
    inputs, outputs = specs(right)
    signature = Signature(tuple(inputs), tuple(outputs))
    given = {"y": [found["y"] for found in values]}
    observed = Observed(tuple(tensors), feeds, given, unchanged_contract(signature, signature))
    return export_faults(align_native(observed, tidy(wrong), 1e-4))


def test_a_product_that_reads_a_transposed_tensor_is_not_transposed(tmp_path: Path) -> None:
    """Scores of queries and keys are square, and the softmax behind them is right."""

    def attention(*front: str) -> onnx.ModelProto:
        query = "q"
        nodes = [
            helper.make_node("Add", ["x", "p"], ["q"], "query"),
            helper.make_node("Transpose", ["x"], ["k"], "keys", perm=[0, 2, 1]),
        ]
        for kind in front:
            nodes.append(helper.make_node(kind, [query], [f"{query}::{kind}"], kind))
            query = f"{query}::{kind}"
        nodes += [helper.make_node("MatMul", [query, "k"], ["s"], "product"), helper.make_node("Div", ["s", "four"], ["d"], "scale"),
                  helper.make_node("Softmax", ["d"], ["w"], "softmax", axis=-1), helper.make_node("MatMul", ["w", "v"], ["y"], "values")]  # fmt: skip
        constants = {"p": weights(6, 4), "four": np.float32(4), "v": weights(6, 3, seed=2)}
        return model(nodes, {"x": ["N", 6, 4]}, ["y"], constants)

    layers = {"q": "query", "s": "scores", "d": "scaled", "w": "softmax", "y": "out"}
    (fault,) = faults(attention(), attention("Abs"), layers, (3, 6, 4), tmp_path)
    assert fault.layer == "scores" and set(fault.nodes) >= {"Abs (Abs)", "product (MatMul)"}


def test_two_layers_on_end_that_are_wrong_are_named_with_all_their_nodes(tmp_path: Path) -> None:
    def net(off: float, *front: str) -> onnx.ModelProto:
        name, nodes = "x", []
        for kind in front:
            nodes.append(helper.make_node(kind, [name], [kind], kind))
            name = kind
        nodes += [helper.make_node("MatMul", [name, "w"], ["m"], "first"), helper.make_node("Add", ["m", "b"], ["a"], "bias"),
                  helper.make_node("Tanh", ["a"], ["t"], "tanh"), helper.make_node("MatMul", ["t", "v"], ["n"], "second"),
                  helper.make_node("Add", ["n", "c"], ["y"], "shift")]  # fmt: skip
        last = weights(7, 3, seed=1)
        last[0, 0] += off
        return model(nodes, {"x": ["N", 5]}, ["y"], {"w": weights(5, 7), "b": weights(7), "v": last, "c": weights(3)})

    (fault,) = faults(net(0), net(1, "Abs"), {"t": "dense", "y": "dense_1"}, (3, 5), tmp_path)
    assert fault.layers == ("dense", "dense_1")
    assert {"Abs (Abs)", "first (MatMul)", "second (MatMul)"} <= set(fault.nodes)
