"""Keras' operations, which stand among layers where a model was written with functions: how each is said in ONNX."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.keras.activations import activated
from safeconvert.prove.readers.keras.layer import FLOAT, Tensor, numbers
from safeconvert.prove.readers.writer import Writer

_FAR = 2**62
_TRUTH = onnx.TensorProto.BOOL
_WHOLE = (onnx.TensorProto.INT32, onnx.TensorProto.INT64)


@dataclass(frozen=True)
class Operation:
    """An operation, and its arguments in order, in which tensors are `Tensor`."""

    write: Writer
    kind: str
    config: Mapping[str, Any]
    arguments: Sequence[Any]

    @property
    def x(self) -> Tensor:
        """Its first argument. Raises Refused where it is no tensor of floating-point numbers."""
        if not self.arguments or not isinstance(self.arguments[0], Tensor) or self.arguments[0].whole:
            raise Refused(f"{self.kind}: of other than a tensor of floating-point numbers")
        return self.arguments[0]

    @property
    def moving(self) -> Tensor:
        """Its first argument, whatever it holds. Raises Refused where it is no tensor."""
        if not self.arguments or not isinstance(self.arguments[0], Tensor):
            raise Refused(f"{self.kind}: of other than a tensor")
        return self.arguments[0]

    def like(self, place: int, kind: int) -> Tensor:
        """A tensor of a type, or an integer as a constant of it. Raises Refused for others, which Keras would cast."""
        given = self.arguments[place]
        if isinstance(given, Tensor) and given.kind == kind:
            return given
        if type(given) is not int:
            raise Refused(f"{self.kind}: of integers and {str(given)[:40]}")
        return Tensor(self.write.constant(np.asarray(given, helper.tensor_dtype_to_np_dtype(kind))), 0, kind)

    def alone(self) -> Tensor:
        """Its only argument. Raises Refused where there are more."""
        if len(self.arguments) != 1:
            raise Refused(f"{self.kind}: with {len(self.arguments)} arguments")
        return self.x

    def operand(self, place: int) -> Tensor:
        """A tensor, number or constant as a tensor."""
        given = self.arguments[place]
        if isinstance(given, Tensor):
            if given.whole:
                raise Refused(f"{self.kind}: of integers")
            return given
        if isinstance(given, bool) or not isinstance(given, int | float | np.ndarray):
            raise Refused(f"{self.kind}: on {str(given)[:40]}")
        array = np.asarray(given, np.float32)
        return Tensor(self.write.constant(array), array.ndim)

    def tensors(self) -> list[Tensor]:
        """A list of tensors as the first argument."""
        given = self.arguments[0] if len(self.arguments) == 1 else None
        if not isinstance(given, list) or not all(isinstance(one, Tensor) and not one.whole for one in given):
            raise Refused(f"{self.kind}: of other than a list of tensors")
        return given

    def axes(self, name: str = "axis") -> list[int]:
        """Axes as the configuration has them; all where it has none."""
        given = self.config.get(name)
        found = range(self.x.rank) if given is None else [given] if isinstance(given, int) else given
        return [int(axis) % self.x.rank for axis in found]


Rule = Callable[[Operation], Tensor]


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
    def rule(o: Operation) -> Tensor:
        one, two = (o.operand(place) for place in range(len(o.arguments)))
        return Tensor(o.write(operator, one.name, two.name), max(one.rank, two.rank))

    return rule


def _also_of_integers(operator: str, kind: int | None = None) -> Rule:
    """An operator on pairs, of integers of one type too; what it gives is of a type, or of theirs."""

    def rule(o: Operation) -> Tensor:
        if not o.moving.whole:
            one, two = (o.operand(place) for place in range(2))
        elif o.moving.kind in _WHOLE:
            one, two = o.moving, o.like(1, o.moving.kind)
        else:
            raise Refused(f"{o.kind}: of truths")
        return Tensor(o.write(operator, one.name, two.name), max(one.rank, two.rank), kind or one.kind)

    return rule


def _reduced(operator: str) -> Rule:
    def rule(o: Operation) -> Tensor:
        if o.config.get("initial") is not None or o.config.get("dtype") is not None:
            raise Refused(f"{o.kind}: with a start or a type")
        axes, keep = o.axes(), bool(o.config.get("keepdims", False))
        rank = o.alone().rank if keep else o.x.rank - len(set(axes))
        return Tensor(o.write(operator, o.x.name, o.write.integers(*axes), keepdims=int(keep)), rank)

    return rule


def _square(o: Operation) -> Tensor:
    return Tensor(o.write("Mul", o.alone().name, o.x.name), o.x.rank)


def _zeros(o: Operation) -> Tensor:
    wanted = o.config.get("dtype")
    if len(o.arguments) != 1 or (wanted is not None and _KINDS.get(wanted) != o.moving.kind):
        raise Refused(f"ZerosLike: of {o.config['dtype']}")
    return Tensor(o.write.zeros(o.moving.name, o.moving.kind), o.moving.rank, o.moving.kind)


_KINDS = {"float32": FLOAT, "int32": onnx.TensorProto.INT32, "int64": onnx.TensorProto.INT64}


def _cast(o: Operation) -> Tensor:
    wanted = o.config["dtype"]
    if wanted not in _KINDS or len(o.arguments) != 1:
        raise Refused(f"Cast: to {wanted}")
    if _KINDS[wanted] == o.moving.kind:
        return o.moving
    return Tensor(o.write("Cast", o.moving.name, to=_KINDS[wanted]), o.moving.rank, _KINDS[wanted])


def _equal(o: Operation) -> Tensor:
    """Of two tensors, or of a tensor of integers and an integer."""
    one, two = o.moving, o.arguments[1]
    if one.whole:
        if type(two) is not int and not (isinstance(two, np.ndarray) and two.dtype == np.int32):
            raise Refused(f"Equal: of integers and {str(two)[:40]}")
        kind = o.write("Cast", o.write.constant(np.asarray(two, np.int64)), to=_KINDS["int64"])
        made = o.write("Equal", o.write("Cast", one.name, to=_KINDS["int64"]), kind)
        return Tensor(made, max(one.rank, np.ndim(two)), _TRUTH)
    other = o.operand(1)
    return Tensor(o.write("Equal", one.name, other.name), max(one.rank, other.rank), _TRUTH)


def _where(o: Operation) -> Tensor:
    condition, chosen = o.moving, o.arguments[1]
    if isinstance(chosen, Tensor) and chosen.kind in _WHOLE:
        one, two = chosen, o.like(2, chosen.kind)
    else:
        one, two = o.operand(1), o.operand(2)
    truth = condition.name if condition.kind == _TRUTH else o.write("Cast", condition.name, to=_TRUTH)
    return Tensor(o.write("Where", truth, one.name, two.name), max(condition.rank, one.rank, two.rank), one.kind)


def _taken(o: Operation) -> Tensor:
    """Take along an axis, by constant numbers."""
    axis, given = o.config.get("axis"), o.arguments[1] if len(o.arguments) > 1 else o.config.get("indices")
    places = np.asarray(given)
    if axis is None or places.dtype.kind != "i" or places.ndim > 1:
        raise Refused("Take: of all numbers, or by numbers that are computed")
    at = o.write.constant(places.astype(np.int64))
    return Tensor(o.write("Gather", o.x.name, at, axis=int(axis)), o.x.rank + places.ndim - 1)


def _reshaped(o: Operation) -> Tensor:
    """Sizes of which at most one, None or -1, is what is left."""
    sizes = [-1 if size is None else size for size in o.config["newshape"]]
    if not all(type(size) is int for size in sizes) or sizes.count(-1) > 1:
        raise Refused(f"Reshape: to {o.config['newshape']}")
    return Tensor(o.write("Reshape", o.moving.name, o.write.integers(*sizes), allowzero=1), len(sizes), o.moving.kind)


def _transposed(o: Operation) -> Tensor:
    order = o.config.get("axes") or list(range(o.x.rank))[::-1]
    return Tensor(o.write("Transpose", o.alone().name, perm=[int(axis) % o.x.rank for axis in order]), o.x.rank)


def _squeezed(o: Operation) -> Tensor:
    if o.config.get("axis") is None:
        raise Refused("Squeeze: of all axes of length 1")
    axes = o.axes()
    return Tensor(o.write("Squeeze", o.alone().name, o.write.integers(*axes)), o.x.rank - len(axes))


def _widened(o: Operation) -> Tensor:
    given = o.config["axis"]
    axes = [given] if isinstance(given, int) else list(given)
    return Tensor(o.write("Unsqueeze", o.alone().name, o.write.integers(*axes)), o.x.rank + len(axes))


def _joined(o: Operation) -> Tensor:
    parts = o.tensors()
    return Tensor(o.write("Concat", *(one.name for one in parts), axis=int(o.config["axis"])), parts[0].rank)


def _stacked(o: Operation) -> Tensor:
    parts, axis = o.tensors(), int(o.config["axis"])
    at = o.write.integers(axis)
    return Tensor(
        o.write("Concat", *(o.write("Unsqueeze", one.name, at) for one in parts), axis=axis), parts[0].rank + 1
    )


def _einsum(o: Operation) -> Tensor:
    names = [o.operand(place).name for place in range(len(o.arguments))]
    equation = str(o.config["subscripts"])
    if "." in equation or "->" not in equation:
        raise Refused(f"Einsum: {equation}")
    return Tensor(o.write("Einsum", *names, equation=equation), len(equation.split("->")[1].strip()))


def _padded(o: Operation) -> Tensor:
    pairs = [[one, one] if isinstance(one, int) else one for one in o.config["pad_width"]]
    mode, fill = o.config.get("mode", "constant"), [one for one in o.arguments[1:] if one is not None]
    if (
        mode not in ("constant", "reflect")
        or len(pairs) != o.x.rank
        or any(not isinstance(one, int | float) for one in fill)
    ):
        raise Refused(f"Pad: {mode} by {o.config['pad_width']}")
    amounts = o.write.integers(*(front for front, _ in pairs), *(back for _, back in pairs))
    number = [o.write.number(float(one)) for one in fill]
    return Tensor(o.write("Pad", o.x.name, amounts, *number, mode=mode), o.x.rank)


def _part(o: Operation) -> Tensor:
    """GetItem by numbers and slices, axis after axis."""
    given = o.arguments[1]
    keys = given if isinstance(given, list) else [given]
    if any(key is Ellipsis for key in keys):
        place = keys.index(Ellipsis)
        keys = [*keys[:place], *[slice(None)] * (o.moving.rank - len(keys) + 1), *keys[place + 1 :]]
    starts, ends, steps, gone = [], [], [], []
    for axis, key in enumerate(keys):
        if type(key) is int:
            gone.append(axis)
            key = slice(key, key + 1 if key != -1 else None)
        if not isinstance(key, slice) or not all(
            end is None or type(end) is int for end in (key.start, key.stop, key.step)
        ):
            raise Refused(f"GetItem: by {str(key)[:40]}")
        step = 1 if key.step is None else key.step
        starts.append((0 if step > 0 else _FAR) if key.start is None else key.start)
        ends.append((_FAR if step > 0 else -_FAR) if key.stop is None else key.stop)
        steps.append(step)
    lists = (o.write.integers(*numbers) for numbers in (starts, ends, range(len(keys)), steps))
    name = o.write("Slice", o.moving.name, *lists)
    made = o.write("Squeeze", name, o.write.integers(*gone)) if gone else name
    return Tensor(made, o.moving.rank - len(gone), o.moving.kind)


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


def _pooled(operator: str) -> Rule:
    """max_pool and average_pool, channels last, whose mean does not count padding."""

    def rule(o: Operation) -> Tensor:
        rank = o.alone().rank - 2
        window = numbers(o.config["pool_size"], rank)
        strides = numbers(o.config["strides"], rank) if o.config.get("strides") is not None else window
        how = {"valid": "VALID", "same": "SAME_UPPER"}.get(str(o.config.get("padding", "valid")))
        if how is None or o.config.get("data_format") not in (None, "channels_last"):
            raise Refused(f"{o.kind}: padding {o.config.get('padding')}, or channels first")
        first = o.write("Transpose", o.x.name, perm=[0, rank + 1, *range(1, rank + 1)])
        made = o.write(operator, first, kernel_shape=window, strides=strides, auto_pad=how)
        return Tensor(o.write("Transpose", made, perm=[0, *range(2, rank + 2), 1]), rank + 2)

    return rule


def _gelu(o: Operation) -> Tensor:
    form = "tanh" if o.config.get("approximate", True) else "none"
    return Tensor(o.write("Gelu", o.alone().name, approximate=form), o.x.rank)


def _leaky(o: Operation) -> Tensor:
    return Tensor(o.write("LeakyRelu", o.alone().name, alpha=float(o.config["negative_slope"])), o.x.rank)


def _elu(o: Operation) -> Tensor:
    return Tensor(o.write("Elu", o.alone().name, alpha=float(o.config.get("alpha", 1.0))), o.x.rank)


_NUMPY: Mapping[str, Rule] = {
    "Add": _also_of_integers("Add"), "Subtract": _pair("Sub"), "Multiply": _pair("Mul"), "Divide": _pair("Div"), "TrueDivide": _pair("Div"),
    "Power": _pair("Pow"), "Maximum": _pair("Max"), "Minimum": _pair("Min"), "Matmul": _pair("MatMul"), "Negative": _each("Neg"),
    "Absolute": _each("Abs"), "Abs": _each("Abs"), "Exp": _each("Exp"), "Log": _each("Log"), "Sqrt": _each("Sqrt"), "Square": _square,
    "Sin": _each("Sin"), "Cos": _each("Cos"), "Tanh": _each("Tanh"), "Reciprocal": _each("Reciprocal"), "Mean": _reduced("ReduceMean"),
    "Sum": _reduced("ReduceSum"), "Max": _reduced("ReduceMax"), "Min": _reduced("ReduceMin"), "Prod": _reduced("ReduceProd"),
    "Reshape": _reshaped, "Transpose": _transposed, "Squeeze": _squeezed, "ExpandDims": _widened, "Concatenate": _joined, "Stack": _stacked,
    "Einsum": _einsum, "ZerosLike": _zeros, "Pad": _padded, "GetItem": _part, "Clip": _clipped,
    "Equal": _equal, "Where": _where, "Take": _taken, "Less": _also_of_integers("Less", _TRUTH),
    "LessEqual": _also_of_integers("LessOrEqual", _TRUTH), "Greater": _also_of_integers("Greater", _TRUTH),
    "GreaterEqual": _also_of_integers("GreaterOrEqual", _TRUTH),
}  # fmt: skip
_NN: Mapping[str, Rule] = {
    "Relu": _each("Relu"), "Relu6": _named("relu6"), "Sigmoid": _each("Sigmoid"), "Silu": _named("silu"), "Softplus": _each("Softplus"),
    "Softsign": _each("Softsign"), "HardSigmoid": _named("hard_sigmoid"), "HardSilu": _named("hard_silu"), "Selu": _each("Selu"), "Elu": _elu,
    "Gelu": _gelu, "LeakyRelu": _leaky, "Softmax": _softmax("Softmax"), "LogSoftmax": _softmax("LogSoftmax"),
    "MaxPool": _pooled("MaxPool"), "AveragePool": _pooled("AveragePool"),
}  # fmt: skip
OPERATIONS: Mapping[str, Mapping[str, Rule]] = {
    "keras.src.ops.numpy": _NUMPY,
    "keras.src.ops.nn": _NN,
    "keras.src.ops.core": {"Cast": _cast},
    "keras.src.ops.math": {"Erf": _each("Erf"), "Rsqrt": _each("Sqrt", "Reciprocal")},
}
"""By module and class. What is not here is refused by name."""
