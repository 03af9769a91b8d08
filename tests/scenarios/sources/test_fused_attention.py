"""Traced attention, which TorchScript holds as one operator that torch's exporters do not know."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import safeconvert

pytestmark = pytest.mark.converters

_SCRIPT = """
import sys, torch
torch.manual_seed(0)
class Net(torch.nn.Module):
    def __init__(self, norm_first):
        super().__init__()
        layer = torch.nn.TransformerEncoderLayer(
            12, 4, 24, dropout=0.0, activation="gelu" if norm_first else "relu", batch_first=True, norm_first=norm_first
        )
        self.encoder = torch.nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.attention = torch.nn.MultiheadAttention(12, 2, batch_first=True)
        self.classify = torch.nn.Linear(12, 5)
    def forward(self, x):
        x = self.encoder(x)
        attended, weights = self.attention(x, x, x)
        return self.classify((x + attended).mean(1)) + weights.mean((1, 2))[:, None]
for place, path in enumerate(sys.argv[1:]):
    net = Net(bool(place)).eval()
    for value in net.parameters():
        if value.ndim == 1:
            torch.nn.init.uniform_(value, 0.3, 1.0)
    with torch.no_grad():
        traced = torch.jit.trace(net, torch.randn(1, 7, 12))
    kinds = {node.kind() for node in traced.inlined_graph.nodes()}
    assert {"aten::_transformer_encoder_layer_fwd", "aten::_native_multi_head_attention"} <= kinds
    traced.save(path)
"""


@pytest.mark.parametrize("place", [0, 1])
def test_a_traced_encoder_reaches_onnx(place: int, tmp_path: Path) -> None:
    files = [tmp_path / "after.pt", tmp_path / "first.pt"]
    subprocess.run([sys.executable, "-c", _SCRIPT, *files], check=True, capture_output=True)
    called = safeconvert(
        "torch2onnx", files[place], "-o", tmp_path / "m.onnx", "--input-shape", "0,7,12", "--samples", "20", "--json",
        "--route", "torch_onnx_script", XDG_STATE_HOME=str(tmp_path / "state"),
    )  # fmt: skip
    assert called.code == 0, called.text
