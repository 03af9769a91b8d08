"""Attention under a mask, as torch computes it: a query that may see no key gives zeros.

The dynamo exporter of torch 2.13 (onnxscript 0.7) writes the lowest float32 in place of a boolean mask's minus infinity, so that a
query whose keys are all forbidden gets the mean of all values; a mask of real numbers with minus infinity gives NaN there. It also
takes operands of four dimensions only.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor


def attended(  # noqa: PLR0913 - the operator's own signature
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
    is_causal: bool = False, *, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:  # fmt: skip
    """`torch.nn.functional.scaled_dot_product_attention` in products and a softmax; heads repeated for grouped queries."""
    if dropout_p:
        raise NotImplementedError("attention with dropout gives random numbers; call .eval() first")
    if enable_gqa and key.shape[-3] != query.shape[-3]:
        key, value = (one.repeat_interleave(query.shape[-3] // key.shape[-3], -3) for one in (key, value))
    root = math.sqrt(1 / math.sqrt(query.shape[-1]) if scale is None else scale)
    scores = (query * root) @ (key * root).transpose(-2, -1)
    if is_causal:
        rows, columns = (torch.arange(size, device=query.device) for size in scores.shape[-2:])
        attn_mask = columns <= rows.unsqueeze(-1)
    if attn_mask is None:
        return torch.softmax(scores, -1) @ value
    if attn_mask.dtype == torch.bool:
        scores = torch.where(attn_mask, scores, torch.full_like(scores, -torch.inf))
    else:
        scores = scores + attn_mask
    return safe_softmax(scores, -1) @ value


def safe_softmax(x: Tensor, dim: int, dtype: torch.dtype | None = None) -> Tensor:
    """Softmax that is zero where all numbers are minus infinity."""
    x = x if dtype is None else x.to(dtype)
    none = (x == -torch.inf).all(dim, keepdim=True)
    return torch.where(none, torch.zeros_like(x), torch.softmax(x, dim))


def plain(node: Any) -> bool:
    """Whether the exporter's own translation of an attention call is right."""
    arguments = dict(zip(("query", "key", "value", "attn_mask"), node.args, strict=False)) | dict(node.kwargs)
    four = all(len(arguments[name].meta["val"].shape) == 4 for name in ("query", "key", "value"))
    return four and arguments.get("attn_mask") is None and not arguments.get("enable_gqa")
