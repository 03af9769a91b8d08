"""NonMaxSuppression in the last resorts: what ONNX Runtime selects, in its order, also where scores are equal and nothing is left."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.command import safeconvert

pytestmark = pytest.mark.converters


def detector(limit: float = 0.4, most: int = 3) -> onnx.ModelProto:
    """Boxes and scores from one input, suppressed: (1, 12, 6) to the boxes selected."""
    constants = {
        "most": np.array([most]), "limit": np.float32([limit]), "least": np.float32([0.3]), "halves": np.array([4, 2]),
    }  # fmt: skip
    nodes = [
        helper.make_node("Split", ["x", "halves"], ["boxes", "raw"], "split", axis=2),
        helper.make_node("Sigmoid", ["raw"], ["shares"], "shares"),
        helper.make_node("Transpose", ["shares"], ["scores"], "scores", perm=[0, 2, 1]),
        helper.make_node("NonMaxSuppression", ["boxes", "scores", "most", "limit", "least"], ["selected"], "suppress"),
    ]
    graph = helper.make_graph(
        nodes, "detector", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 12, 6])],
        [helper.make_tensor_value_info("selected", TensorProto.INT64, [None, 3])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("detector")
    onnx.save(detector(), place / "net.onnx")
    onnx.save(detector(limit=0.45), place / "wrong.onnx")
    random = np.random.default_rng(0)
    x = random.uniform(0, 1, (24, 1, 12, 6)).astype(np.float32)
    x[..., 2:4] += x[..., :2]
    x[..., 4:] = random.normal(size=x[..., 4:].shape) * 2
    x[0, ..., 4:] = -9.0  # nothing above the threshold
    x[1, :, 3:6] = x[1, :, 2:3]  # the same box and score again
    np.save(place / "x.npy", x)
    return place


@pytest.mark.parametrize("target", ["torch", "keras", "tflite", "tf"])
def test_what_is_selected_is_what_onnx_runtime_selects(target: str, folder: Path, tmp_path: Path) -> None:
    suffix = {"torch": ".pt2", "keras": ".keras", "tflite": ".tflite", "tf": ""}[target]
    done = safeconvert(
        "convert",
        folder / "net.onnx",
        "--to",
        target,
        "-o",
        tmp_path / f"out{suffix}",
        "--inputs",
        folder / "x.npy",
        "--json",
    )
    assert done.code == 0, done.text


def test_another_threshold_is_another_function(folder: Path) -> None:
    assert (
        safeconvert("verify", folder / "net.onnx", folder / "wrong.onnx", "--inputs", folder / "x.npy", "--json").code
        == 1
    )
