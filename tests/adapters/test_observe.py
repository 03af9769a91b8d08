"""Every framework shows its inner tensors by the names of its own layers, and the last of them is the model's output."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.program import KERAS, TORCH, run_program

pytestmark = pytest.mark.converters
PROGRAM = Path(__file__).parent / "programs" / "observed.py"
LAYERS = {
    "torch": {
        "script.pt": [("0", "conv"), ("1", "relu"), ("3", "")],
        "program.pt2": [("0", "conv2d"), ("1", "relu"), ("3", "linear")],
        "pickled.pt": [("0", "Conv2d"), ("1", "ReLU"), ("3", "Linear")],
        "weights.pth": [("0", "Conv2d"), ("3", "Linear")],
    },
    "keras": {"model.keras": [("conv2d", "Conv2D"), ("flatten", "Flatten"), ("dense", "Dense")]},
    "tflite": {"model.tflite": [("conv2d", "CONV_2D"), ("", "FULLY_CONNECTED")], "int8.tflite": [("conv2d", "CONV_2D")]},
    "tf": {"saved": [("conv2d", "Conv2D"), ("dense", "MatMul")], "frozen.pb": [("conv2d", "Conv2D")]},
}  # fmt: skip


@pytest.mark.parametrize("adapter", LAYERS)
def test_inner_tensors_bear_the_layers_names(adapter: str, whole: Path) -> None:
    wanted = LAYERS[adapter]
    modules = TORCH if adapter == "torch" else KERAS
    found = json.loads(run_program(PROGRAM, adapter, whole, *wanted, modules=modules).splitlines()[-1])
    for name, layers in wanted.items():
        one = found[name]
        for layer, operator in layers:
            assert any(layer in own and operator in what for own, what in one["layers"]), (name, layer, one)
        assert one["connected"] and one["convolved"] and one["output"], (name, one)
