"""Divisions of sizes: what is never negative is divided plainly, so that converters see what a batch is a multiple of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.converters
ROOT = Path(__file__).resolve().parents[2]
_EXPORT = """
import sys, numpy, onnx, onnxruntime, torch
sys.path.insert(0, ".")
from adapters.torch_onnx_script import division

class Windows(torch.nn.Module):
    def forward(self, x):
        b, h, w = x.shape[0], x.shape[1], x.shape[2]
        parts = x.reshape(b, h // 2, 2, w // 2, 2).permute(0, 1, 3, 2, 4).reshape(b * (h // 2) * (w // 2), 4).softmax(1)
        n = parts.shape[0] // ((h // 2) * (w // 2))
        return parts.reshape(n, h // 2, w // 2, 4)

class Numbers(torch.nn.Module):
    def forward(self, x):
        return x.to(torch.int64) // 2 + (x.shape[0] - 5) // 2

division.register()
x = torch.randn(1, 4, 6) * 5
for module in (Windows(), Numbers()):
    torch.onnx.export(torch.jit.trace(module, x), (x,), sys.argv[1], dynamo=False, opset_version=17, input_names=["x"], dynamic_axes={"x": {0: "b"}})
    feeds = torch.randn(3, 4, 6) * 5
    found = onnxruntime.InferenceSession(sys.argv[1]).run(None, {"x": feeds.numpy()})[0]
    right = numpy.allclose(found, module(feeds).numpy(), atol=1e-6)
    print(right, "Xor" in {node.op_type for node in onnx.load(sys.argv[1]).graph.node})
"""


def test_sizes_are_divided_plainly_and_numbers_rounded_down(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", _EXPORT, tmp_path / "m.onnx"], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.split("\n")[:2] == ["True False", "True True"]
