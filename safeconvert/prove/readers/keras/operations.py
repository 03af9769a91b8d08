"""Keras' operations, which stand among layers where a model was written with functions: how each is said in ONNX."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from onnx import TensorProto

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.keras import places, windowed
from safeconvert.prove.readers.keras.activations import activated
from safeconvert.prove.readers.keras.layer import FLOAT, Tensor
from safeconvert.prove.readers.keras.operation import KINDS, TRUTH, WHOLE, Operation, Rule


def _each(*operators: str) -> Rule:
    def rule(o: Operation) -> Tensor:
        name = o.alone().name
        for operator in operators:
            name = o.write(operator, name)
        return Tensor(name, o.x.rank)

    return rule


def _named(activation: str) -> Rule:
    return lambda o: Tensor(activated(o.write, activation, o.alone().name), o.x.rank)


def _pair(operator: str) -> Rule:
    """Of floating-point numbers."""

    def rule(o: Operation) -> Tensor:
        one, two = (o.operand(place) for place in range(len(o.arguments)))
        return Tensor(o.write(operator, one.name, two.name), max(one.rank, two.rank))

    return rule


def _also_of_integers(*operators: str, kind: int | None = None) -> Rule:
    """An operator on pairs, and others on what it gives, of integers of one type too; the last gives a type, or theirs."""

    def rule(o: Operation) -> Tensor:
        one, two = o.both()
        if one.kind == TRUTH:
            raise Refused(f"{o.kind}: of truths")
        name = o.write(operators[0], one.name, two.name)
        for operator in operators[1:]:
            name = o.write(operator, name)
        return Tensor(name, max(one.rank, two.rank), kind or one.kind)

    return rule


def _of_truths(operator: str) -> Rule:
    """LogicalAnd and the like."""

    def rule(o: Operation) -> Tensor:
        names = [o.like(place, TRUTH) for place in range(len(o.arguments))]
        return Tensor(o.write(operator, *(one.name for one in names)), max(one.rank for one in names), TRUTH)

    return rule


def _remainder(o: Operation) -> Tensor:
    """Mod of integers: with the divisor's sign."""
    one, two = o.both()
    if one.kind not in WHOLE:
        raise Refused("Mod: of other than integers")
    return Tensor(o.write("Mod", one.name, two.name), max(one.rank, two.rank), one.kind)


def _running_sum(o: Operation) -> Tensor:
    """Cumsum along an axis, of one type."""
    axis, wanted = o.config.get("axis"), o.config.get("dtype")
    if axis is None or o.moving.kind == TRUTH or (wanted is not None and KINDS.get(wanted) != o.moving.kind):
        raise Refused("Cumsum: of all numbers, of truths, or in another type")
    at = o.write.constant(np.asarray(int(axis), np.int64))
    return Tensor(o.write("CumSum", o.moving.name, at), o.moving.rank, o.moving.kind)


def _largest(operator: str) -> Rule:
    """Argmax and Argmin along an axis; of equal numbers the first."""

    def rule(o: Operation) -> Tensor:
        axis, keep = o.config.get("axis"), int(bool(o.config.get("keepdims", False)))
        if axis is None:
            raise Refused(f"{o.kind}: of all numbers")
        made = o.write(operator, o.moving.name, axis=int(axis), keepdims=keep)
        return Tensor(o.write("Cast", made, to=TensorProto.INT32), o.moving.rank - 1 + keep, TensorProto.INT32)

    return rule


def _reduced(operator: str) -> Rule:
    def rule(o: Operation) -> Tensor:
        if o.config.get("initial") is not None or o.config.get("dtype") is not None:
            raise Refused(f"{o.kind}: with a start or a type")
        axes, keep = o.axes(), bool(o.config.get("keepdims", False))
        x = o.moving if o.moving.kind in WHOLE and operator in ("ReduceMax", "ReduceMin", "ReduceSum") else o.alone()
        rank = x.rank if keep else x.rank - len(set(axes))
        return Tensor(o.write(operator, x.name, o.write.integers(*axes), keepdims=int(keep)), rank, x.kind)

    return rule


def _square(o: Operation) -> Tensor:
    return Tensor(o.write("Mul", o.alone().name, o.x.name), o.x.rank)


def _zeros(o: Operation) -> Tensor:
    wanted = o.config.get("dtype")
    if len(o.arguments) != 1 or (wanted is not None and KINDS.get(wanted) != o.moving.kind):
        raise Refused(f"ZerosLike: of {o.config['dtype']}")
    return Tensor(o.write.zeros(o.moving.name, o.moving.kind), o.moving.rank, o.moving.kind)


def _cast(o: Operation) -> Tensor:
    wanted = o.config["dtype"]
    if wanted not in KINDS or len(o.arguments) != 1:
        raise Refused(f"Cast: to {wanted}")
    if KINDS[wanted] == o.moving.kind:
        return o.moving
    return Tensor(o.write("Cast", o.moving.name, to=KINDS[wanted]), o.moving.rank, KINDS[wanted])


def _equal(o: Operation) -> Tensor:
    """Of two tensors of one type, or of a tensor of integers and integers, which are compared as int64."""
    first, second = o.arguments[0], o.arguments[1]
    narrow = isinstance(second, np.ndarray) and second.dtype == np.int32
    if isinstance(first, Tensor) and first.kind in WHOLE and (type(second) is int or narrow):
        wide = first.name if first.kind == KINDS["int64"] else o.write("Cast", first.name, to=KINDS["int64"])
        made = o.write("Equal", wide, o.write.constant(np.asarray(second, np.int64)))
        return Tensor(made, max(first.rank, np.ndim(second)), TRUTH)
    one, two = o.both()
    return Tensor(o.write("Equal", one.name, two.name), max(one.rank, two.rank), TRUTH)


def _unequal(o: Operation) -> Tensor:
    found = _equal(o)
    return Tensor(o.write("Not", found.name), found.rank, TRUTH)


def _where(o: Operation) -> Tensor:
    """Where, of two operands of one type; constants alone are of their own."""
    condition, kind = o.moving, o.common(1, 2)
    one, two = (o.operand(place) if kind == FLOAT else o.like(place, kind) for place in (1, 2))
    truth = condition.name if condition.kind == TRUTH else o.write("Cast", condition.name, to=TRUTH)
    return Tensor(o.write("Where", truth, one.name, two.name), max(condition.rank, one.rank, two.rank), one.kind)


def _einsum(o: Operation) -> Tensor:
    names = [o.operand(place).name for place in range(len(o.arguments))]
    equation = str(o.config["subscripts"])
    if "." in equation or "->" not in equation:
        raise Refused(f"Einsum: {equation}")
    return Tensor(o.write("Einsum", *names, equation=equation), len(equation.split("->")[1].strip()))


def _clipped(o: Operation) -> Tensor:
    ends = (o.write.number(float(o.config[name])) for name in ("x_min", "x_max"))
    return Tensor(o.write("Clip", o.alone().name, *ends), o.x.rank)


def _softmax(operator: str) -> Rule:
    def rule(o: Operation) -> Tensor:
        axes = o.axes()
        if len(axes) != 1:
            raise Refused(f"{o.kind}: along several axes")
        return Tensor(o.write(operator, o.alone().name, axis=axes[0]), o.x.rank)

    return rule


def _gelu(o: Operation) -> Tensor:
    form = "tanh" if o.config.get("approximate", True) else "none"
    return Tensor(o.write("Gelu", o.alone().name, approximate=form), o.x.rank)


def _leaky(o: Operation) -> Tensor:
    return Tensor(o.write("LeakyRelu", o.alone().name, alpha=float(o.config["negative_slope"])), o.x.rank)


def _elu(o: Operation) -> Tensor:
    return Tensor(o.write("Elu", o.alone().name, alpha=float(o.config.get("alpha", 1.0))), o.x.rank)


_NUMPY: Mapping[str, Rule] = {
    "Add": _also_of_integers("Add"), "Subtract": _also_of_integers("Sub"), "Multiply": _also_of_integers("Mul"), "Divide": _pair("Div"), "TrueDivide": _pair("Div"),
    "Power": _pair("Pow"), "Maximum": _also_of_integers("Max"), "Minimum": _also_of_integers("Min"), "Matmul": _pair("MatMul"), "Negative": _each("Neg"),
    "Absolute": _each("Abs"), "Abs": _each("Abs"), "Exp": _each("Exp"), "Log": _each("Log"), "Sqrt": _each("Sqrt"), "Square": _square,
    "Sin": _each("Sin"), "Cos": _each("Cos"), "Tanh": _each("Tanh"), "Reciprocal": _each("Reciprocal"), "Mean": _reduced("ReduceMean"),
    "Sum": _reduced("ReduceSum"), "Max": _reduced("ReduceMax"), "Min": _reduced("ReduceMin"), "Prod": _reduced("ReduceProd"),
    "Reshape": places.reshaped, "Transpose": places.transposed, "Squeeze": places.squeezed, "ExpandDims": places.widened, "Concatenate": places.joined, "Stack": places.stacked,
    "Einsum": _einsum, "ZerosLike": _zeros, "Pad": places.padded, "GetItem": places.part, "Clip": _clipped,
    "Equal": _equal, "Where": _where, "Take": places.taken, "Less": _also_of_integers("Less", kind=TRUTH),
    "LessEqual": _also_of_integers("LessOrEqual", kind=TRUTH), "Greater": _also_of_integers("Greater", kind=TRUTH),
    "GreaterEqual": _also_of_integers("GreaterOrEqual", kind=TRUTH),
    "NotEqual": _unequal, "LogicalAnd": _of_truths("And"), "LogicalOr": _of_truths("Or"), "LogicalXor": _of_truths("Xor"),
    "LogicalNot": _of_truths("Not"), "Cumsum": _running_sum, "Tile": places.tiled, "TakeAlongAxis": places.taken_along,
    "BroadcastTo": places.spread, "Flip": places.flipped, "Split": places.split, "Mod": _remainder, "Argmax": _largest("ArgMax"), "Argmin": _largest("ArgMin"),
    "Floor": _each("Floor"), "Ceil": _each("Ceil"), "Round": _each("Round"), "Sign": _each("Sign"), "Arctan": _each("Atan"), "Tan": _each("Tan"),
}  # fmt: skip
_NN: Mapping[str, Rule] = {
    "Relu": _each("Relu"), "Relu6": _named("relu6"), "Sigmoid": _each("Sigmoid"), "Silu": _named("silu"), "Softplus": _each("Softplus"),
    "Softsign": _each("Softsign"), "HardSigmoid": _named("hard_sigmoid"), "HardSilu": _named("hard_silu"), "Selu": _each("Selu"), "Elu": _elu,
    "Gelu": _gelu, "LeakyRelu": _leaky, "Softmax": _softmax("Softmax"), "LogSoftmax": _softmax("LogSoftmax"),
    "MaxPool": windowed.pooled("MaxPool"), "AveragePool": windowed.pooled("AveragePool"), "Conv": windowed.convolution,
    "DepthwiseConv": windowed.depthwise,
}  # fmt: skip
OPERATIONS: Mapping[str, Mapping[str, Rule]] = {
    "keras.src.ops.numpy": _NUMPY,
    "keras.src.ops.nn": _NN,
    "keras.src.ops.core": {"Cast": _cast},
    "keras.src.ops.math": {"Erf": _each("Erf"), "Rsqrt": _each("Sqrt", "Reciprocal")},
}
"""By module and class. What is not here is refused by name."""
