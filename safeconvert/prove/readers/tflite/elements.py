"""TFLite's operators on elements and along axes."""

from __future__ import annotations

from onnx import TensorProto

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.tflite.flatbuffer import BOOL, BYTE, FLOAT, INT
from safeconvert.prove.readers.tflite.operator import WHOLE, Operator, Rule, fused

_OF_OTHERS = {("Abs",): WHOLE, ("Neg",): WHOLE, ("Sign",): WHOLE, ("Not",): (TensorProto.BOOL,)}


def each(*operators: str) -> Rule:
    """One input, and ONNX operators without attributes one after another; of float32, or of what all versions of these take."""

    def rule(o: Operator) -> list[str]:
        if operators not in _OF_OTHERS or o.tensor(0).kind not in _OF_OTHERS[operators]:
            o.only_float()
        tensor = o.tensor(0).name
        for operator in operators:
            tensor = o.write(operator, tensor)
        return [tensor]

    return rule


def pair(operator: str, activation: int | None = None, floating: bool = True) -> Rule:
    """Two inputs, broadcast as ONNX does.

    Args:
        operator: of ONNX.
        activation: the field of the fused activation, or None.
        floating: whether only float32 is taken.
    """

    def rule(o: Operator) -> list[str]:
        if floating:
            o.only_float()
        made = o.write(operator, o.tensor(0).name, o.tensor(1).name)
        return [made] if activation is None else fused(o, activation, made)

    return rule


def unequal(o: Operator) -> list[str]:
    """NOT_EQUAL."""
    return [o.write("Not", o.write("Equal", o.tensor(0).name, o.tensor(1).name))]


def floor_quotient(o: Operator) -> list[str]:
    """FLOOR_DIV of float32."""
    o.only_float()
    return [o.write("Floor", o.write("Div", o.tensor(0).name, o.tensor(1).name))]


def remainder(o: Operator) -> list[str]:
    """FLOOR_MOD of integers: with the divisor's sign."""
    if o.tensor(0).kind not in WHOLE:
        raise Refused("FLOOR_MOD: of other than integers")
    return [o.write("Mod", o.tensor(0).name, o.tensor(1).name)]


def clipped(low: float, high: float) -> Rule:
    """RELU6 and RELU_N1_TO_1."""

    def rule(o: Operator) -> list[str]:
        o.only_float()
        return [o.write("Clip", o.tensor(0).name, o.write.number(low), o.write.number(high))]

    return rule


def square(o: Operator) -> list[str]:
    """SQUARE."""
    o.only_float()
    return [o.write("Mul", o.tensor(0).name, o.tensor(0).name)]


def squared_difference(o: Operator) -> list[str]:
    """SQUARED_DIFFERENCE."""
    o.only_float()
    apart = o.write("Sub", o.tensor(0).name, o.tensor(1).name)
    return [o.write("Mul", apart, apart)]


def leaky_relu(o: Operator) -> list[str]:
    """LEAKY_RELU."""
    o.only_float()
    return [o.write("LeakyRelu", o.tensor(0).name, alpha=o.options.value(0, FLOAT, 0.0))]


def prelu(o: Operator) -> list[str]:
    """PRELU."""
    o.only_float()
    return [o.write("PRelu", o.tensor(0).name, o.tensor(1).name)]


def gelu(o: Operator) -> list[str]:
    """GELU."""
    o.only_float()
    return [o.write("Gelu", o.tensor(0).name, approximate="tanh" if o.options.value(0, BOOL, False) else "none")]


def softmax(o: Operator) -> list[str]:
    """SOFTMAX along the last axis, of its input times beta."""
    o.only_float()
    return [
        o.write("Softmax", o.write("Mul", o.tensor(0).name, o.write.number(o.options.value(0, FLOAT, 0.0))), axis=-1)
    ]


def log_softmax(o: Operator) -> list[str]:
    """LOG_SOFTMAX along the last axis."""
    o.only_float()
    return [o.write("LogSoftmax", o.tensor(0).name, axis=-1)]


def reduction(operator: str) -> Rule:
    """MEAN, SUM and the like over constant axes."""

    def rule(o: Operator) -> list[str]:
        if operator == "ReduceMean" or o.tensor(0).kind not in WHOLE:
            o.only_float()
        axes = o.integers(1)
        if not axes:
            return [o.tensor(0).name]
        keep = int(o.options.value(0, BOOL, False))
        return [o.write(operator, o.tensor(0).name, o.write.integers(*axes), keepdims=keep)]

    return rule


def dense(o: Operator) -> list[str]:
    """FULLY_CONNECTED: weights are [out, in]; without keep_num_dims all but the last axis are one."""
    o.only_float()
    if o.options.value(1, BYTE):
        raise Refused(f"{o.name}: weights in another order than the plain one")
    tensor, wide = o.tensor(0), o.size(1, 1)
    name = tensor.name
    if not o.options.value(2, BOOL, False) and (len(tensor.shape) != 2 or tensor.shape[1] != wide):
        name = o.write("Reshape", name, o.write.integers(-1, wide))
    made = o.write("MatMul", name, o.write("Transpose", o.tensor(1).name, perm=[1, 0]))
    if len(o.inputs) > 2 and o.inputs[2] is not None:
        made = o.write("Add", made, o.tensor(2).name)
    return fused(o, 0, made)


def product(o: Operator) -> list[str]:
    """BATCH_MATMUL."""
    o.only_float()
    names = []
    for place in (0, 1):
        rank = len(o.tensor(place).shape)
        order = [*range(rank - 2), rank - 1, rank - 2]
        adjoint = bool(o.options.value(place, BOOL, False))
        names.append(o.write("Transpose", o.tensor(place).name, perm=order) if adjoint else o.tensor(place).name)
    return [o.write("MatMul", *names)]


def choice(o: Operator) -> list[str]:
    """SELECT_V2, broadcast as ONNX does; SELECT too, where its condition is no list of rows."""
    if o.name == "SELECT" and len({tensor.shape for tensor in o.inputs if tensor is not None}) != 1:
        raise Refused("SELECT: of other shapes")
    return [o.write("Where", *(o.tensor(place).name for place in range(3)))]


def converted(o: Operator) -> list[str]:
    """CAST, and DEQUANTIZE of float16."""
    return [o.write("Cast", o.tensor(0).name, to=o.outputs[0].kind)]


def largest(operator: str) -> Rule:
    """ARG_MAX and ARG_MIN along a constant axis."""

    def rule(o: Operator) -> list[str]:
        [axis] = o.integers(1)
        made = o.write(operator, o.tensor(0).name, axis=axis, keepdims=0)
        return [o.write("Cast", made, to=o.outputs[0].kind)]

    return rule


def zeros(o: Operator) -> list[str]:
    """ZEROS_LIKE."""
    return [o.write.zeros(o.tensor(0).name, o.outputs[0].kind)]


def total(o: Operator) -> list[str]:
    """ADD_N."""
    o.only_float()
    return [o.write("Sum", *(o.tensor(place).name for place in range(len(o.inputs))))]


def joined(o: Operator) -> list[str]:
    """CONCATENATION."""
    names = [o.tensor(place).name for place in range(len(o.inputs))]
    return fused(o, 1, o.write("Concat", *names, axis=o.options.value(0, INT)))
