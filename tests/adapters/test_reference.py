"""Models that ONNX Runtime has no kernels for: computed by onnx' reference, or refused with both reasons."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.signature import TensorSpec
from safeconvert.errors import UnusableInput
from tests.command import ROOT

sys.path.insert(0, str(ROOT))

from adapters.onnx.adapter import load


def saved(operator: str, path: Path) -> Path:
    """An operator on int16, or one that draws numbers, whose kernels ONNX Runtime lacks."""
    ends = [helper.make_tensor_value_info(name, TensorProto.INT16, ["N", 3]) for name in "aby"]
    node = helper.make_node(operator, ["a", "b"] if operator == "Max" else ["a"], ["y"])
    graph = helper.make_graph([node], "g", ends[:2], ends[2:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10), path)
    return path


def test_what_onnx_runtime_has_no_kernel_for_is_computed_by_the_reference(tmp_path: Path) -> None:
    opened = load(ModelRequest(str(saved("Max", tmp_path / "max.onnx"))).to_json())
    assert opened.signature().inputs == (TensorSpec("a", (None, 3), "int16"), TensorSpec("b", (None, 3), "int16"))
    a, b = np.array([[1, -2, 3]], np.int16), np.array([[-1, 2, 3]], np.int16)
    assert opened.predict({"a": a, "b": b})["y"].tolist() == [[1, 2, 3]]


def test_what_draws_numbers_is_not(tmp_path: Path) -> None:
    path = saved("RandomUniformLike", tmp_path / "random.onnx")
    with pytest.raises(UnusableInput, match=r"ONNX Runtime cannot load it.*reference: a random operator"):
        load(ModelRequest(str(path)).to_json())


def test_a_size_that_is_an_input_is_the_declared_one_and_not_that_of_a_run_on_zeros(tmp_path: Path) -> None:
    ends = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 4, 4]),
            helper.make_tensor_value_info("sizes", TensorProto.INT64, [4]),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 8, 9])]  # fmt: skip
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="nearest")
    graph = helper.make_graph([node], "g", ends[:2], ends[2:])
    path = tmp_path / "resize.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    opened = load(ModelRequest(str(path)).to_json())
    assert opened.signature().outputs == (TensorSpec("y", (1, 1, 8, 9), "float32"),)
