"""How torch.onnx says the fused attention that TorchScript holds.

torch 2.13 traces `nn.MultiheadAttention` and `nn.TransformerEncoderLayer` in evaluation mode as one operator each, which neither
of its exporters knows (`Exporting the operator 'aten::_native_multi_head_attention' to ONNX … is not supported`): a traced ViT has
no ONNX form. Here both are said in MatMul, Softmax and the like. A mask is refused by name.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.onnx import symbolic_helper

_SINCE = 9  # the first opset whose operators are used here
_AXES_ARE_INPUTS = 18


def register() -> None:
    """Tell torch.onnx; once a process."""
    torch.onnx.register_custom_op_symbolic("aten::_native_multi_head_attention", _attention, _SINCE)
    torch.onnx.register_custom_op_symbolic("aten::_transformer_encoder_layer_fwd", _encoder_layer, _SINCE)


@symbolic_helper.parse_args("v", "v", "v", "i", "i", "v", "v", "v", "v", "v", "b", "b", "v")
def _attention(
    g: Any, query: Any, key: Any, value: Any, width: int, heads: int, qkv_weight: Any, qkv_bias: Any, proj_weight: Any,
    proj_bias: Any, mask: Any, need_weights: bool, average: bool, mask_type: Any,
) -> Any:  # fmt: skip
    """Self-attention on (N, L, E), as the fused operator computes it; its weights over heads averaged where asked for."""
    if not (query is key and key is value):
        raise NotImplementedError("aten::_native_multi_head_attention of other keys or values than queries")
    attended, weights = _attended(g, query, width, heads, qkv_weight, qkv_bias, proj_weight, proj_bias, mask)
    if average:
        weights = _mean(g, weights, 1, keep=0)
    return attended, weights


@symbolic_helper.parse_args(
    "v", "i", "i", "v", "v", "v", "v", "b", "b", "f", "v", "v", "v", "v", "v", "v", "v", "v", "v", "v"
)
def _encoder_layer(
    g: Any, source: Any, width: int, heads: int, qkv_weight: Any, qkv_bias: Any, proj_weight: Any, proj_bias: Any,
    gelu: bool, norm_first: bool, epsilon: float, scale_1: Any, shift_1: Any, scale_2: Any, shift_2: Any, weight_1: Any,
    bias_1: Any, weight_2: Any, bias_2: Any, mask: Any, mask_type: Any,
) -> Any:  # fmt: skip
    """Attention and feed-forward net, each with its residual sum, normalised before or after."""

    def attended(x: Any) -> Any:
        return _attended(g, x, width, heads, qkv_weight, qkv_bias, proj_weight, proj_bias, mask)[0]

    def fed_forward(x: Any) -> Any:
        hidden = _linear(g, x, weight_1, bias_1)
        return _linear(g, _gelu(g, hidden) if gelu else g.op("Relu", hidden), weight_2, bias_2)

    if norm_first:
        x = g.op("Add", source, attended(_normalised(g, source, scale_1, shift_1, epsilon)))
        made = g.op("Add", x, fed_forward(_normalised(g, x, scale_2, shift_2, epsilon)))
    else:
        x = _normalised(g, g.op("Add", source, attended(source)), scale_1, shift_1, epsilon)
        made = _normalised(g, g.op("Add", x, fed_forward(x)), scale_2, shift_2, epsilon)
    made.setType(source.type())
    return made


def _attended(
    g: Any, x: Any, width: int, heads: int, qkv_weight: Any, qkv_bias: Any, proj_weight: Any, proj_bias: Any, mask: Any
) -> tuple[Any, Any]:
    if not symbolic_helper._is_none(mask):
        raise NotImplementedError("fused attention with a mask")
    joined = _linear(g, x, qkv_weight, qkv_bias)
    split = _integers(g, 0, -1, heads, width // heads)
    parts = [
        g.op(
            "Reshape",
            g.op("Slice", joined, _integers(g, k * width), _integers(g, (k + 1) * width), _integers(g, 2)),
            split,
        )
        for k in range(3)
    ]
    queries, values = (g.op("Transpose", part, perm_i=[0, 2, 1, 3]) for part in (parts[0], parts[2]))
    keys = g.op("Transpose", parts[1], perm_i=[0, 2, 3, 1])
    scaled = g.op("Mul", queries, _number(g, (width // heads) ** -0.5))
    weights = g.op("Softmax", g.op("MatMul", scaled, keys), axis_i=-1)
    together = g.op("Transpose", g.op("MatMul", weights, values), perm_i=[0, 2, 1, 3])
    flat = g.op("Reshape", together, _integers(g, 0, -1, width))
    attended = _linear(g, flat, proj_weight, proj_bias)
    attended.setType(x.type())  # what follows asks for the number of dimensions
    return attended, weights


def _linear(g: Any, x: Any, weight: Any, bias: Any) -> Any:
    return g.op("Add", g.op("MatMul", x, g.op("Transpose", weight, perm_i=[1, 0])), bias)


def _gelu(g: Any, x: Any) -> Any:
    error = g.op("Erf", g.op("Mul", x, _number(g, 0.5**0.5)))
    return g.op("Mul", g.op("Mul", x, _number(g, 0.5)), g.op("Add", error, _number(g, 1.0)))


def _normalised(g: Any, x: Any, scale: Any, shift: Any, epsilon: float) -> Any:
    centred = g.op("Sub", x, _mean(g, x, -1))
    variance = _mean(g, g.op("Mul", centred, centred), -1)
    deviation = g.op("Sqrt", g.op("Add", variance, _number(g, epsilon)))
    return g.op("Add", g.op("Mul", g.op("Div", centred, deviation), scale), shift)


def _mean(g: Any, x: Any, axis: int, keep: int = 1) -> Any:
    if g.opset >= _AXES_ARE_INPUTS:
        return g.op("ReduceMean", x, _integers(g, axis), keepdims_i=keep)
    return g.op("ReduceMean", x, axes_i=[axis], keepdims_i=keep)


def _integers(g: Any, *values: int) -> Any:
    return g.op("Constant", value_t=torch.tensor(values, dtype=torch.int64))


def _number(g: Any, value: float) -> Any:
    return g.op("Constant", value_t=torch.tensor(value, dtype=torch.float32))
