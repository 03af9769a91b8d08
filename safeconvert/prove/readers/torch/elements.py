"""aten's operators on elements, products and reductions."""

from __future__ import annotations

import numpy as np
import onnx

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.torch.archive import kind_of
from safeconvert.prove.readers.torch.call import Call, Rule, Tensor

_INTEGERS = (onnx.TensorProto.INT32, onnx.TensorProto.INT64)
_OF_INTEGERS = {"Abs", "Neg", "Sign"}
_RAISED = (onnx.TensorProto.FLOAT, *_INTEGERS)


def each(*operators: str) -> Rule:
    """One tensor of float32, or of integers where the operator has them, and ONNX operators without attributes one after another."""

    def rule(c: Call) -> list[str]:
        given = "input" if "input" in c.arguments else "self"
        whole = c.tensor(given).kind in _INTEGERS and c.outputs[0].kind == c.tensor(given).kind
        name = c.tensor(given).name if whole and set(operators) <= _OF_INTEGERS else c.only_float(given).name
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
    """Two operands, each read in the type of the result; the second may be a number or be multiplied with one."""

    def rule(c: Call) -> list[str]:
        kind = c.outputs[0].kind
        if kind == onnx.TensorProto.UNDEFINED or (floating and kind != onnx.TensorProto.FLOAT):
            raise Refused(f"{c.target}: of mixed types, or of integers")
        c.only(rounding_mode=None)
        name, alpha = _as(c, "other"), c.value("alpha", 1)
        if alpha != 1:
            name = c.write("Mul", name, c.write.constant(np.asarray(alpha, onnx.helper.tensor_dtype_to_np_dtype(kind))))
        return [c.write(operator, _as(c, "self"), name)]

    return rule


def _as(c: Call, name: str) -> str:
    """An operand in the type of the result (torch's promotion of types); a number is written in that type."""
    if "as_tensor" not in c.arguments[name]:
        return c.operand(name)
    return _of_kind(c, c.tensor(name), c.outputs[0].kind)


def _of_kind(c: Call, tensor: Tensor, kind: int) -> str:
    return tensor.name if tensor.kind == kind else c.write("Cast", tensor.name, to=kind)


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
    x = c.tensor()
    if x.kind not in _RAISED or x.kind != c.outputs[0].kind:
        raise Refused(f"{c.target}: of another type than float32, int32 and int64, or to another")
    kind = onnx.helper.tensor_dtype_to_np_dtype(x.kind)
    ends = [c.write.constant(np.asarray(end, kind)) if end is not None else "" for end in (low, high)]
    return [c.write("Clip", x.name, *ends)]


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
        c.only(half_to_float=False)
        if c.outputs[0].kind != c.tensor().kind:
            raise Refused(f"{c.target}: to another type")
        return [c.write(operator, c.only_float().name, axis=int(c.value("dim", None)))]

    return rule


def linear(c: Call) -> list[str]:
    """linear: x·Wᵀ + b."""
    weight, bias = c.tensor("weight"), c.optional("bias")
    made = c.write("MatMul", c.only_float("input").name, c.write("Transpose", weight.name, perm=[1, 0]))
    return [made if bias is None else c.write("Add", made, bias.name)]


def addmm(c: Call) -> list[str]:
    """addmm and baddbmm: beta·c + alpha·a·b."""
    one, two = ("mat1", "mat2") if "mat1" in c.arguments else ("batch1", "batch2")
    made, added = c.write("MatMul", c.only_float(one).name, c.tensor(two).name), c.tensor().name
    alpha, beta = (float(c.value(name, 1)) for name in ("alpha", "beta"))
    made = made if alpha == 1 else c.write("Mul", made, c.write.number(alpha))
    return [c.write("Add", made, added if beta == 1 else c.write("Mul", added, c.write.number(beta)))]


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
    return [_of_kind(c, c.tensor(), kind)]


def cast_as(c: Call) -> list[str]:
    """type_as: to the element type of another."""
    return [_of_kind(c, c.tensor(), c.tensor("other").kind)]


def choice(c: Call) -> list[str]:
    """where, of tensors and numbers of one type, which is the result's."""
    kinds = {c.tensor(name).kind for name in ("self", "other") if "as_tensor" in c.arguments[name]}
    numbers = [c.value(name, None) for name in ("self", "other") if "as_tensor" not in c.arguments[name]]
    kind = kinds.pop() if kinds else c.outputs[0].kind
    broken = kind in _INTEGERS and any(isinstance(one, float) for one in numbers)
    if kinds or broken or kind == onnx.TensorProto.UNDEFINED:
        raise Refused(f"{c.target}: of mixed types")
    return [c.write("Where", c.tensor("condition").name, *(c.operand(name, kind) for name in ("self", "other")))]


def running_sum(c: Call) -> list[str]:
    """cumsum along an axis; of truths and small integers as int64."""
    name = _of_kind(c, c.tensor(), c.outputs[0].kind)
    return [c.write("CumSum", name, c.write.constant(np.asarray(int(c.value("dim", None)), np.int64)))]


def length(c: Call) -> list[str]:
    """linalg_vector_norm: the root of the sum of squares."""
    c.only(ord=2.0, dtype=None)
    axes = c.value("dim", None)
    given = [c.write.integers(*([axes] if isinstance(axes, int) else axes))] if axes is not None else []
    return [c.write("ReduceL2", c.only_float().name, *given, keepdims=int(bool(c.value("keepdim", False))))]


def scaled_length(c: Call) -> list[str]:
    """_weight_norm: weights of a length of their own along one axis."""
    v, g = c.only_float("v"), c.only_float("g")
    axis = int(c.value("dim", 0)) % len(v.shape)
    others = c.write.integers(*(a for a in range(len(v.shape)) if a != axis))
    return [c.write("Mul", v.name, c.write("Div", g.name, c.write("ReduceL2", v.name, others, keepdims=1)))]


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
        x = c.tensor() if c.tensor().kind in _INTEGERS else c.only_float()
        return [c.write(operator, x.name, axis=int(axis), keepdims=int(bool(c.value("keepdim", False))))]

    return rule
