"""onnx2keras along routes of several converters, where sizes are fixed: a graph that is channels last itself keeps its sizes in their order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.command import safeconvert
from tests.onnx_models import model, random

pytestmark = pytest.mark.converters


@pytest.mark.parametrize("target", ["tf", "tflite"])
def test_a_graph_that_is_channels_last_itself_goes_on_to_tensorflow(tmp_path: Path, target: str) -> None:
    nodes = [
        helper.make_node("Transpose", ["x"], ["second"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["second", "w"], ["maps"], pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["maps"], ["means"]),
        helper.make_node("Flatten", ["means"], ["y"]),
    ]
    made = model(nodes, {"x": ["N", 8, 6, 3]}, ["y"], {"w": random(4, 3, 3, 3, seed=1)})
    onnx.save(made, tmp_path / "source.onnx")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(12, 8, 6, 3)).astype(np.float32))
    done = safeconvert(
        "convert", tmp_path / "source.onnx", "--to", target, "-o", tmp_path / ("made" if target == "tf" else "made.tflite"), "--inputs", tmp_path / "x.npy",
        "--route", "onnx2keras,keras_export" if target == "tf" else "onnx2keras,tflite_converter", "--json",
    )  # fmt: skip
    assert done.code == 0, done.text
    assert done.json["predicate"]["contract"]["inputs"][0]["target"]["shape"][1:] == [8, 6, 3]
