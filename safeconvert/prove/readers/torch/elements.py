"""aten's operators on elements, products and reductions."""

from __future__ import annotations

import numpy as np
import onnx

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.torch.archive import kind_of
from safeconvert.prove.readers.torch.call import Call, Rule

_RAISED = (onnx.TensorProto.FLOAT, onnx.TensorProto.INT32, onnx.TensorProto.INT64)


def each(*operators: str) -> Rule:
    """One tensor of float32, and ONNX operators without attributes one after another."""

    def rule(c: Call) -> list[str]:
        name = c.only_float("input" if "input" in c.arguments else "self").name
        for operator in operators:
            name = c.write(operator, name)
        return [name]

    return rule


def unchanged(c: Call) -> list[str]:
    """What changes nothing at inference."""
    if c.value("train", False):
        raise Refused(f"{c.target}: in training")
    return [c.tensor("input" if "input" in c.arguments else "self").name]


def pair(operator: str, floating: bool = True) -> Rule:
    """Two operands, the second of which may be a number or be multiplied with one."""

    def rule(c: Call) -> list[str]:
        first = c.tensor()
        if first.kind != c.outputs[0].kind or (floating and not first.floating):
            raise Refused(f"{c.target}: of mixed types, or of integers")
        second = c.optional("other") if "as_tensor" in c.arguments["other"] else None
        if second is not None and second.kind != first.kind:
            raise Refused(f"{c.target}: of mixed types")
        c.only(rounding_mode=None)
        name, alpha = c.operand("other"), c.value("alpha", 1)
        if alpha != 1:
            name = c.write(
                "Mul", name, c.write.constant(np.asarray(alpha, onnx.helper.tensor_dtype_to_np_dtype(first.kind)))
            )
        return [c.write(operator, first.name, name)]

    return rule


def turned_difference(c: Call) -> list[str]:
    """rsub: other - alpha·self, of one type."""
    first = c.tensor()
    if first.kind != c.outputs[0].kind:
        raise Refused(f"{c.target}: of mixed types")
    kind, alpha, name = onnx.helper.tensor_dtype_to_np_dtype(first.kind), c.value("alpha", 1), first.name
    if alpha != 1:
        name = c.write("Mul", name, c.write.constant(np.asarray(alpha, kind)))
    return [c.write("Sub", c.operand("other"), name)]


def raised(c: Call) -> list[str]:
    """pow of two tensors, where the result is of the base's type."""
    base, exponent = c.tensor(), c.tensor("exponent")
    if c.outputs[0].kind != base.kind or base.kind not in _RAISED or exponent.kind not in _RAISED:
        raise Refused(f"{c.target}: of mixed types")
    return [c.write("Pow", base.name, exponent.name)]


def unequal(c: Call) -> list[str]:
    """ne."""
    return [c.write("Not", compared("Equal")(c)[0])]


def extremes(operator: str) -> Rule:
    """max and min along an axis: the numbers; where they stand is not read."""

    def rule(c: Call) -> list[str]:
        axis, keep = int(c.value("dim", None)), int(bool(c.value("keepdim", False)))
        return [c.write(operator, c.tensor().name, c.write.integers(axis), keepdims=keep)]

    return rule


def compared(operator: str) -> Rule:
    """Comparisons with a tensor or number of one type."""

    def rule(c: Call) -> list[str]:
        first = c.tensor()
        if "as_tensor" in c.arguments["other"]:
            second = c.tensor("other")
            if second.kind != first.kind:
                raise Refused(f"{c.target}: of mixed types")
            return [c.write(operator, first.name, second.name)]
        number = np.asarray(c.value("other", None), onnx.helper.tensor_dtype_to_np_dtype(first.kind))
        return [c.write(operator, first.name, c.write.constant(number))]

    return rule


def power(c: Call) -> list[str]:
    """pow with a number."""
    return [c.write("Pow", c.only_float().name, c.write.number(float(c.value("exponent", None))))]


def clamped(c: Call) -> list[str]:
    """clamp, hardtanh and relu6."""
    low, high = {"relu6": (0.0, 6.0), "hardtanh": (c.value("min_val", -1.0), c.value("max_val", 1.0))}.get(
        c.target.split(".")[1].removesuffix("_"), (c.value("min", None), c.value("max", None))
    )
    ends = [c.write.number(float(end)) if end is not None else "" for end in (low, high)]
    return [c.write("Clip", c.only_float().name, *ends)]


def leaky_relu(c: Call) -> list[str]:
    """leaky_relu."""
    return [c.write("LeakyRelu", c.only_float().name, alpha=float(c.value("negative_slope", 0.01)))]


def elu(c: Call) -> list[str]:
    """elu."""
    c.only(scale=1, input_scale=1)
    return [c.write("Elu", c.only_float().name, alpha=float(c.value("alpha", 1.0)))]


def gelu(c: Call) -> list[str]:
    """gelu."""
    return [c.write("Gelu", c.only_float().name, approximate=c.value("approximate", "none"))]


def silu(c: Call) -> list[str]:
    """silu."""
    name = c.only_float().name
    return [c.write("Mul", name, c.write("Sigmoid", name))]


def hard_sigmoid(c: Call) -> list[str]:
    """hardsigmoid."""
    return [c.write("HardSigmoid", c.only_float().name, alpha=1 / 6, beta=0.5)]


def softplus(c: Call) -> list[str]:
    """softplus."""
    c.only(beta=1, threshold=20)
    return [c.write("Softplus", c.only_float().name)]


def softmax(operator: str) -> Rule:
    """softmax and log_softmax."""

    def rule(c: Call) -> list[str]:
        c.only(dtype=None, half_to_float=False)
        return [c.write(operator, c.only_float().name, axis=int(c.value("dim", None)))]

    return rule


def linear(c: Call) -> list[str]:
    """linear: x·Wᵀ + b."""
    weight, bias = c.tensor("weight"), c.optional("bias")
    made = c.write("MatMul", c.only_float("input").name, c.write("Transpose", weight.name, perm=[1, 0]))
    return [made if bias is None else c.write("Add", made, bias.name)]


def addmm(c: Call) -> list[str]:
    """addmm: c + a·b."""
    c.only(alpha=1, beta=1)
    made = c.write("MatMul", c.only_float("mat1").name, c.tensor("mat2").name)
    return [c.write("Add", made, c.tensor().name)]


def matmul(c: Call) -> list[str]:
    """matmul, mm and bmm."""
    other = c.optional("other") or c.optional("mat2")
    if other is None:
        raise Refused(f"{c.target}: of one operand")
    return [c.write("MatMul", c.only_float().name, other.name)]


def reduction(operator: str) -> Rule:
    """mean, sum, amax, amin over axes, or over all."""

    def rule(c: Call) -> list[str]:
        c.only(dtype=None)
        axes = c.value("dim", None)
        axes = [axes] if isinstance(axes, int) else axes or []
        given = [c.write.integers(*axes)] if axes else []
        keep = int(bool(axes and c.value("keepdim", False)))
        x = c.tensor() if operator in ("ReduceMax", "ReduceMin") else c.only_float()
        return [c.write(operator, x.name, *given, keepdims=keep)]

    return rule


def embedding(c: Call) -> list[str]:
    """embedding."""
    return [c.write("Gather", c.tensor("weight").name, c.tensor("indices").name, axis=0)]


def attention(c: Call) -> list[str]:
    """scaled_dot_product_attention without a mask."""
    c.only(dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False)
    if c.optional("attn_mask") is not None:
        raise Refused(f"{c.target}: with a mask")
    query, key, value = (c.only_float(name) for name in ("query", "key", "value"))
    rank, width = len(query.shape), query.shape[-1]
    if width is None or len(key.shape) != rank:
        raise Refused(f"{c.target}: of free widths")
    turned = c.write("Transpose", key.name, perm=[*range(rank - 2), rank - 1, rank - 2])
    scores = c.write("Mul", c.write("MatMul", query.name, turned), c.write.number(width**-0.5))
    return [c.write("MatMul", c.write("Softmax", scores, axis=-1), value.name)]


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


def filled(c: Call) -> list[str]:
    """masked_fill with a number."""
    x, mask = c.only_float(), c.tensor("mask")
    if mask.kind != onnx.TensorProto.BOOL:
        raise Refused(f"{c.target}: by numbers")
    return [c.write("Where", mask.name, c.write.number(float(c.value("value", None))), x.name)]


def cast(c: Call) -> list[str]:
    """to.dtype and _to_copy to another element type."""
    given = c.arguments.get("dtype", {})
    if "as_scalar_type" not in given:
        return [c.tensor().name]
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind_of(given["as_scalar_type"])))
    return [c.tensor().name if kind == c.tensor().kind else c.write("Cast", c.tensor().name, to=kind)]


def choice(c: Call) -> list[str]:
    """where."""
    one, two = c.tensor(), c.tensor("other")
    if one.kind != two.kind:
        raise Refused(f"{c.target}: of mixed types")
    return [c.write("Where", c.tensor("condition").name, one.name, two.name)]


def logical(operator: str) -> Rule:
    """Operators on truths."""

    def rule(c: Call) -> list[str]:
        given = [c.tensor(name) for name in ("self", "other") if name in c.arguments]
        if any(one.kind != onnx.TensorProto.BOOL for one in given):
            raise Refused(f"{c.target}: of numbers")
        return [c.write(operator, *(one.name for one in given))]

    return rule


def largest(operator: str) -> Rule:
    """argmax and argmin along an axis; of equal numbers the first."""

    def rule(c: Call) -> list[str]:
        axis = c.value("dim", None)
        if axis is None:
            raise Refused(f"{c.target}: of all numbers")
        return [c.write(operator, c.only_float().name, axis=int(axis), keepdims=int(bool(c.value("keepdim", False))))]

    return rule
