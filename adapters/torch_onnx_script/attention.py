"""The fused attention that TorchScript holds, for torch.onnx.

torch 2.13 traces `nn.MultiheadAttention` and `nn.TransformerEncoderLayer` in evaluation mode as one operator each, which neither
of its exporters knows (`Exporting the operator 'aten::_native_multi_head_attention' to ONNX … is not supported`): a traced ViT has
no ONNX form. Here both are expressed by MatMul, Softmax and the like. A mask is refused by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.onnx import symbolic_helper

_SINCE = 9  # the first opset whose operators are used here
_AXES_ARE_INPUTS = 18


def register() -> None:
    """Tell torch.onnx; once a process."""
    torch.onnx.register_custom_op_symbolic("aten::_native_multi_head_attention", _attention, _SINCE)
    torch.onnx.register_custom_op_symbolic("aten::_transformer_encoder_layer_fwd", _encoder_layer, _SINCE)


@dataclass(frozen=True)
class _Heads:
    """The weights of one attention, as the fused operators hold them.

    Attributes:
        width: of the embedding.
        heads: their number.
        qkv_weight, qkv_bias: queries, keys and values in one matrix.
        proj_weight, proj_bias: of the projection behind the heads.
        mask: none is taken.
    """

    width: int
    heads: int
    qkv_weight: Any
    qkv_bias: Any
    proj_weight: Any
    proj_bias: Any
    mask: Any


def _parsed(kinds: str, operands: Sequence[Any]) -> list[Any]:
    """Operands of an operator as Python values: one letter each, as `symbolic_helper.parse_args` has them."""
    return [symbolic_helper._parse_arg(value, kind) for value, kind in zip(operands, kinds, strict=True)]


def _attention(g: Any, *operands: Any) -> Any:
    """Self-attention on (N, L, E), as the fused operator computes it; its weights are averaged over heads on request.

    The operands are those of `aten::_native_multi_head_attention`: query, key, value, width, heads, the weights of `_Heads`,
    mask, need_weights, average_attn_weights, mask_type.
    """
    query, key, value, *given, _need_weights, average, _mask_type = _parsed("vvviivvvvvbbv", operands)
    if not (query is key and key is value):
        raise NotImplementedError("aten::_native_multi_head_attention of other keys or values than queries")
    attended, weights = _attended(g, query, _Heads(*given))
    if average:
        weights = _mean(g, weights, 1, keep=0)
    return attended, weights


def _encoder_layer(g: Any, *operands: Any) -> Any:
    """Attention and feed-forward net, each with its residual sum, normalised before or after.

    The operands are those of `aten::_transformer_encoder_layer_fwd`: source, width, heads, the weights of `_Heads`, gelu,
    norm_first, epsilon, scale and shift of both norms, weight and bias of both linear layers, mask, mask_type.
    """
    source, *own, mask, _mask_type = _parsed("viivvvvbbfvvvvvvvvvv", operands)
    heads = _Heads(own[0], own[1], own[2], own[3], own[4], own[5], mask)
    gelu, norm_first, epsilon, scale_1, shift_1, scale_2, shift_2, weight_1, bias_1, weight_2, bias_2 = own[6:]

    def attended(x: Any) -> Any:
        return _attended(g, x, heads)[0]

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


def _attended(g: Any, x: Any, own: _Heads) -> tuple[Any, Any]:
    if not symbolic_helper._is_none(own.mask):
        raise NotImplementedError("fused attention with a mask")
    width, heads = own.width, own.heads
    joined = _linear(g, x, own.qkv_weight, own.qkv_bias)
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
    attended = _linear(g, flat, own.proj_weight, own.proj_bias)
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
