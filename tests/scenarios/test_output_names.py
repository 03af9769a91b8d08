"""Names and order of outputs are part of the interface, whichever formats lie between."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.command import safeconvert

pytestmark = pytest.mark.converters


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two outputs whose names are in another order than their places."""
    weight = np.random.default_rng(0).normal(size=(4, 3, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Conv", ["image", "w"], ["c"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["zones"]),
        helper.make_node("GlobalAveragePool", ["c"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["scores"]),
    ]
    sizes = {"image": ["n", 3, 8, 8], "zones": ["n", 4, 8, 8], "scores": ["n", 4]}
    image, zones, scores = (helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in sizes.items())
    graph = helper.make_graph(nodes, "g", [image], [zones, scores], [numpy_helper.from_array(weight, "w")])
    path = tmp_path_factory.mktemp("names") / "m.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.parametrize("target", ["tflite", "tf"])
def test_outputs_keep_their_names_and_places(target: str, model: Path, tmp_path: Path) -> None:
    called = safeconvert(f"onnx2{target}", model, "-o", tmp_path / f"m.{target}", "--json")
    assert called.code == 0, called.text
    contract = called.json["predicate"]["contract"]
    assert [(one["source"]["name"], one["target"]["name"]) for one in contract["outputs"]] == [
        ("zones", "zones"),
        ("scores", "scores"),
    ]
    assert not [line for line in called.json["predicate"]["obligations"] if "number" in line]
