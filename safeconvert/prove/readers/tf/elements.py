"""TensorFlow's operators on elements, along axes, and those that move and cut."""

from __future__ import annotations

import numpy as np

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.tf.node import FLOAT, Node, Rule, Tensor
from safeconvert.prove.readers.writer import FAR, Writer

_INT64 = 7  # in ONNX' numbers
WHOLE = (3, 9)
"""int32 and int64, in TensorFlow's numbers."""


def each(*operators: str) -> Rule:
    """One tensor of float32, and ONNX operators without attributes one after another."""

    def rule(n: Node) -> list[Tensor]:
        n.only_float()
        name = n.inputs[0].name
        for operator in operators:
            name = n.write(operator, name)
        return [Tensor(name)]

    return rule


def pair(operator: str, floating: bool = False) -> Rule:
    """Two tensors, broadcast as ONNX does."""

    def rule(n: Node) -> list[Tensor]:
        if floating or n.kind() not in (FLOAT, *WHOLE):
            n.only_float()
        names = [one.name for one in n.inputs]
        if operator == "Add" and n.kind() == FLOAT:
            return [Tensor(_summed(n.write, *names))]
        return n.made(operator, *names)

    return rule


def _summed(write: Writer, first: str, second: str) -> str:
    """A sum; a constant difference, as the offset of a normalization is one, is added in two parts, so that what cancels in it stays visible."""
    for value, offset in ((first, second), (second, first)):
        maker = write.maker(offset)
        if (
            maker is not None
            and maker.op_type == "Sub"
            and write.constants_alone(offset)
            and not write.constants_alone(value)
        ):
            return write("Sub", write("Add", value, maker.input[0]), maker.input[1])
    return write("Add", first, second)


def logical(operator: str) -> Rule:
    """Operators on truths, which have no type of their own."""
    return lambda n: n.made(operator, *(one.name for one in n.inputs))


def unchanged(n: Node) -> list[Tensor]:
    """Identity and its like."""
    return [n.inputs[0]]


def erfc(n: Node) -> list[Tensor]:
    """Erfc: what is left of 1."""
    n.only_float()
    return n.made("Sub", n.write.number(1.0), n.write("Erf", n.inputs[0].name))


def zeros(n: Node) -> list[Tensor]:
    """ZerosLike."""
    return [Tensor(n.write.zeros(n.inputs[0].name, n.onnx_kind("T")))]


def filled(n: Node) -> list[Tensor]:
    """Fill: one number, in a shape that may be computed."""
    return n.made("Expand", n.inputs[1].name, n.write("Cast", n.inputs[0].name, to=7))


def counted(n: Node) -> list[Tensor]:
    """Range of constants."""
    start, limit, delta = (n.integers(place)[0] for place in range(3))
    array = np.arange(start, limit, delta).astype(n.weights(0).dtype)
    return [Tensor(n.write.constant(array), array)]


def relu6(n: Node) -> list[Tensor]:
    """Relu6."""
    n.only_float()
    return n.made("Clip", n.inputs[0].name, n.write.number(0.0), n.write.number(6.0))


def leaky_relu(n: Node) -> list[Tensor]:
    """LeakyRelu."""
    n.only_float()
    return n.made("LeakyRelu", n.inputs[0].name, alpha=n.real("alpha", 0.2))


def square(n: Node) -> list[Tensor]:
    """Square."""
    n.only_float()
    return n.made("Mul", n.inputs[0].name, n.inputs[0].name)


def squared_difference(n: Node) -> list[Tensor]:
    """SquaredDifference."""
    n.only_float()
    apart = n.write("Sub", n.inputs[0].name, n.inputs[1].name)
    return n.made("Mul", apart, apart)


def softmax(operator: str) -> Rule:
    """Softmax and LogSoftmax along the last axis."""

    def rule(n: Node) -> list[Tensor]:
        n.only_float()
        return n.made(operator, n.inputs[0].name, axis=-1)

    return rule


def reduction(operator: str) -> Rule:
    """Mean, Sum and the like over constant axes."""

    def rule(n: Node) -> list[Tensor]:
        if operator == "ReduceMean" or n.kind() not in (FLOAT, *WHOLE):
            n.only_float()
        axes = n.integers(1)
        if not axes:
            return [n.inputs[0]]
        return n.made(operator, n.inputs[0].name, n.write.integers(*axes), keepdims=int(n.flag("keep_dims")))

    return rule


def matmul(n: Node) -> list[Tensor]:
    """MatMul of two matrices."""
    n.only_float()
    names = [
        n.write("Transpose", one.name, perm=[1, 0]) if n.flag(word) else one.name
        for one, word in zip(n.inputs, ("transpose_a", "transpose_b"), strict=True)
    ]
    return n.made("MatMul", *names)


def batched(n: Node) -> list[Tensor]:
    """BatchMatMulV2 and BatchMatMulV3 without adjoints."""
    if {n.kind(name) for name in ("T", "Ta", "Tb", "Tout") if name in n.attributes} != {FLOAT}:
        raise Refused(f"{n.operator}: of another type than float32")
    if n.flag("adj_x") or n.flag("adj_y"):
        raise Refused(f"{n.operator}: of adjoints")
    return n.made("MatMul", n.inputs[0].name, n.inputs[1].name)


def einsum(n: Node) -> list[Tensor]:
    """Einsum."""
    n.only_float()
    return n.made("Einsum", *(one.name for one in n.inputs), equation=n.word("equation", ""))


def transposed(n: Node) -> list[Tensor]:
    """Transpose."""
    return n.made("Transpose", n.inputs[0].name, perm=n.integers(1))


def reshaped(n: Node) -> list[Tensor]:
    """Reshape to a shape that may be computed."""
    array = n.inputs[0].array
    if array is not None and n.inputs[1].array is not None:
        moved = array.reshape(n.integers(1))
        return [Tensor(n.write.constant(moved), moved)]
    return n.made("Reshape", n.inputs[0].name, n.write("Cast", n.inputs[1].name, to=7), allowzero=1)


def squeezed(n: Node) -> list[Tensor]:
    """Squeeze of named axes; of all that have a length of 1 where the tensor is constant."""
    axes, array = n.listed("squeeze_dims"), n.inputs[0].array
    if not axes:
        if array is None:
            raise Refused("Squeeze: of all axes of length 1")
        return [Tensor(n.write.constant(array.squeeze()), array.squeeze())]
    return n.made("Squeeze", n.inputs[0].name, n.write.integers(*axes))


def widened(n: Node) -> list[Tensor]:
    """ExpandDims."""
    return n.made("Unsqueeze", n.inputs[0].name, n.write.integers(*n.integers(1)))


def shape(n: Node) -> list[Tensor]:
    """Shape."""
    return n.made(
        "Cast", n.write("Shape", n.inputs[0].name), to=n.onnx_kind("out_type") if "out_type" in n.attributes else 6
    )


def padded(n: Node) -> list[Tensor]:
    """Pad with zeros, PadV2 with a number."""
    amounts = n.weights(1).reshape(-1, 2)
    given = n.write.integers(*(int(a) for a in amounts[:, 0]), *(int(a) for a in amounts[:, 1]))
    return n.made("Pad", n.inputs[0].name, given, *(one.name for one in n.inputs[2:3]))


def joined(n: Node) -> list[Tensor]:
    """ConcatV2."""
    [axis] = n.integers(len(n.inputs) - 1)
    arrays = [one.array for one in n.inputs[:-1] if one.array is not None]
    if len(arrays) == len(n.inputs) - 1:
        whole = np.concatenate(arrays, axis)
        return [Tensor(n.write.constant(whole), whole)]
    return n.made("Concat", *(one.name for one in n.inputs[:-1]), axis=axis)


def packed(n: Node) -> list[Tensor]:
    """Pack: tensors along a new axis."""
    axis = n.attributes["axis"].integer(3) if "axis" in n.attributes else 0
    at = n.write.integers(axis)
    return n.made("Concat", *(n.write("Unsqueeze", one.name, at) for one in n.inputs), axis=axis)


def strided(n: Node) -> list[Tensor]:
    """StridedSlice with constant begins, ends and strides, without an ellipsis or new axes."""
    begins, ends, strides = (n.integers(place) for place in (1, 2, 3))
    masks = [
        n.attributes[f"{word}_mask"].integer(3) if f"{word}_mask" in n.attributes else 0
        for word in ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
    ]
    if masks[2] or masks[3]:
        raise Refused("StridedSlice: with an ellipsis or new axes")
    gone = []
    for axis, stride in enumerate(strides):
        bit = 1 << axis
        if masks[4] & bit:
            gone.append(axis)
            strides[axis], ends[axis] = 1, begins[axis] + 1 if begins[axis] != -1 else FAR
            continue
        begins[axis] = (0 if stride > 0 else FAR) if masks[0] & bit else begins[axis]
        ends[axis] = (FAR if stride > 0 else -FAR) if masks[1] & bit else ends[axis]
    lists = (n.write.integers(*numbers) for numbers in (begins, ends, range(len(begins)), strides))
    name = n.write("Slice", n.inputs[0].name, *lists)
    return n.made("Squeeze", name, n.write.integers(*gone)) if gone else [Tensor(name)]


def turned(n: Node) -> list[Tensor]:
    """ReverseV2 along constant axes."""
    return [Tensor(n.write.turned(n.inputs[0].name, n.integers(1)))]


def gathered(n: Node) -> list[Tensor]:
    """GatherV2 along a constant axis, which in batches is the first behind them."""
    [axis] = n.integers(2)
    batches = n.attributes["batch_dims"].integer(3) if "batch_dims" in n.attributes else 0
    if batches:
        if axis != batches:
            raise Refused("GatherV2: in batches, along a later axis")
        at = n.write("Unsqueeze", n.inputs[1].name, n.write.integers(-1))
        at = at if n.onnx_kind("Tindices") == _INT64 else n.write("Cast", at, to=_INT64)
        return n.made("GatherND", n.inputs[0].name, at, batch_dims=batches)
    return n.made("Gather", n.inputs[0].name, n.inputs[1].name, axis=axis)


def cast(n: Node) -> list[Tensor]:
    """Cast."""
    if n.flag("Truncate"):
        raise Refused("Cast: that truncates")
    return n.made("Cast", n.inputs[0].name, to=n.onnx_kind("DstT"))


def split(n: Node) -> list[Tensor]:
    """Split into equal parts along a constant axis."""
    [axis] = n.integers(0)
    count = n.attributes["num_split"].integer(3)
    return [Tensor(name) for name in n.write.several("Split", [n.inputs[1].name], count, axis=axis, num_outputs=count)]
