"""Traced nets with attention, fused: `attention.py POST_NORM PRE_NORM`."""

import sys

import torch

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
