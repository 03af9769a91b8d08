"""aten's attention in products and a softmax."""

from __future__ import annotations

import numpy as np
import onnx

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.torch.call import Call, Tensor, size


def attention(c: Call) -> list[str]:
    """scaled_dot_product_attention; a query that may see no key gives zeros (`torch.nn.attention`, safe softmax)."""
    c.only(dropout_p=0.0)
    query, key, value = (c.only_float(name) for name in ("query", "key", "value"))
    rank, width = len(query.shape), query.shape[-1]
    if width is None or len(key.shape) != rank:
        raise Refused(f"{c.target}: of free widths")
    keys, values = (_repeated(c, query, one) for one in (key, value))
    turned = c.write("Transpose", keys, perm=[*range(rank - 2), rank - 1, rank - 2])
    scale = c.value("scale", None)
    factor = c.write.number(width**-0.5 if scale is None else float(scale))
    scores = c.write("Mul", c.write("MatMul", query.name, turned), factor)
    return [c.write("MatMul", _shares(c, scores), values)]


def _shares(c: Call, scores: str) -> str:
    """Softmax of scores under a mask."""
    mask = c.optional("attn_mask")
    if mask is None and not c.value("is_causal", False):
        return c.write("Softmax", scores, axis=-1)
    far = c.write.number(-np.inf)
    if mask is None:
        scores = c.write("Where", _earlier(c), scores, far)
    elif c.value("is_causal", False):
        raise Refused(f"{c.target}: under a mask and causal")
    elif mask.kind == onnx.TensorProto.BOOL:
        scores = c.write("Where", mask.name, scores, far)
    else:
        scores = c.write("Add", scores, c.only_float("attn_mask").name)
    hidden = c.write("Cast", c.write("Equal", scores, far), to=onnx.TensorProto.INT64)
    none = c.write("ReduceMin", hidden, c.write.integers(-1), keepdims=1)
    zeros = c.write.zeros(scores, onnx.TensorProto.FLOAT)
    return c.write("Where", c.write("Cast", none, to=onnx.TensorProto.BOOL), zeros, c.write("Softmax", scores, axis=-1))


def _earlier(c: Call) -> str:
    """Which keys stand no later than a query."""
    zero, one = (c.write.constant(np.asarray(n, np.int64)) for n in (0, 1))
    rows, columns = (c.write("Range", zero, _length(c, name), one) for name in ("query", "key"))
    return c.write("LessOrEqual", columns, c.write("Unsqueeze", rows, c.write.integers(-1)))


def _length(c: Call, name: str) -> str:
    return c.write("Squeeze", c.write("Shape", c.tensor(name).name, start=-2, end=-1))


def _repeated(c: Call, query: Tensor, one: Tensor) -> str:
    """Keys or values, each head as often as groups of queries share it."""
    if not c.value("enable_gqa", False) or query.shape[-3] == one.shape[-3]:
        return one.name
    rank = len(one.shape)
    heads = size(c, one, -3)
    times = size(c, query, -3) // heads
    drawn = c.write("Unsqueeze", one.name, c.write.integers(rank - 2))
    shape = [*([1] * (rank - 2)), times, 1, 1]
    ends = [c.write("Shape", one.name, start=axis, end=axis + 1) for axis in range(rank)]
    joined = c.write("Concat", *ends[: rank - 3], c.write.integers(heads * times), *ends[rank - 2 :], axis=0)
    return c.write("Reshape", c.write("Expand", drawn, c.write.integers(*shape)), joined)


def heads(c: Call) -> list[str]:
    """_native_multi_head_attention of one tensor with itself, without a mask; its weights are not read."""
    c.only(need_weights=False)
    query, weight, width, count = (
        c.only_float("query"),
        c.tensor("qkv_weight"),
        c.value("embed_dim", 0),
        c.value("num_head", 1),
    )
    if c.optional("mask") is not None or {c.tensor(name).name for name in ("key", "value")} != {query.name}:
        raise Refused(f"{c.target}: with a mask, or of several tensors")
    if len(query.shape) != 3 or width % count or weight.shape != (3 * width, width):
        raise Refused(f"{c.target}: of sizes that are not known")
    made = c.write("MatMul", query.name, c.write("Transpose", weight.name, perm=[1, 0]))
    parts = c.write.several(
        "Split", [c.write("Add", made, c.tensor("qkv_bias").name), c.write.integers(*[width] * 3)], 3, axis=2
    )
    apart = c.write.integers(0, 0, count, width // count)
    q, k, v = (c.write("Transpose", c.write("Reshape", part, apart), perm=[0, 2, 1, 3]) for part in parts)
    scores = c.write(
        "MatMul",
        c.write("Mul", q, c.write.number((width // count) ** -0.5)),
        c.write("Transpose", k, perm=[0, 1, 3, 2]),
    )
    seen = c.write("Transpose", c.write("MatMul", c.write("Softmax", scores, axis=-1), v), perm=[0, 2, 1, 3])
    joined = c.write("Reshape", seen, c.write.integers(0, 0, width))
    last = c.write("MatMul", joined, c.write("Transpose", c.tensor("proj_weight").name, perm=[1, 0]))
    return [c.write("Add", last, c.tensor("proj_bias").name)]
