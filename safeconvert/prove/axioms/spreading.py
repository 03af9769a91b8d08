"""Tensors that are broadcast: the same numbers again along new axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.terms import Array, Refused, Store

AXIOM = Axiom(
    "broadcasting",
    "What works element by element on a tensor that is broadcast is the broadcast of what it makes of the tensor; where an operand has an axis, "
    "another that is broadcast along it is read without it.",
)


_EACH = frozenset((
    "Slice", "Split", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Add", "Sub", "Mul", "Div", "Equal", "Where", "Not", "Cast", "Sigmoid",
    "Tanh", "Relu", "Neg", "Exp", "Sqrt", "Abs", "And", "Or", "Xor", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Max", "Min",
))  # fmt: skip


def keeps(node: onnx.NodeProto, reads: set[str], here: Mapping[str, Array], there: Mapping[str, Array]) -> bool:
    """Whether a node makes of tensors that are broadcast along free sizes one that is, too.

    Args:
        node: of constants.
        reads: those that it reads.
        here, there: constants at two of the free sizes.
    """
    turned = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
    rows = node.op_type in ("MatMul", "Gemm") and reads <= set(node.input[:1]) and not turned
    named = node.op_type == "Gather" and reads <= set(node.input[1:])  # the same rows again
    moved = (node.op_type == "Reshape" and reads <= set(node.input[:1]) and _keeps_rows(node, here, there)) or (
        node.op_type == "Concat" and _along_a_fixed_axis(node, reads, here, there)
    )
    return not node.domain and (rows or named or moved or node.op_type in _EACH)


def _keeps_rows(node: onnx.NodeProto, here: Mapping[str, Array], there: Mapping[str, Array]) -> bool:
    """Whether a Reshape leaves a first axis as it is, and no other one is free."""
    names = node.input[0], node.output[0]
    if any(name not in known for name in names for known in (here, there)):
        return False
    (given, made), (given_there, made_there) = ([known[name].shape for name in names] for known in (here, there))
    first = given[:1] == made[:1] and given_there[:1] == made_there[:1]
    return first and (given[1:], made[1:]) == (given_there[1:], made_there[1:])


def _along_a_fixed_axis(
    node: onnx.NodeProto, reads: set[str], here: Mapping[str, Array], there: Mapping[str, Array]
) -> bool:
    """Whether a Concat joins along an axis that is free in none of what is broadcast."""
    axis = next(attribute.i for attribute in node.attribute if attribute.name == "axis")
    return all(name in there and here[name].shape[axis] == there[name].shape[axis] for name in reads)


def joint(one: Sequence[int], two: Sequence[int]) -> tuple[int, ...]:
    """The shape that two tensors are broadcast to. Raises Refused where there is none."""
    rank = max(len(one), len(two))
    left, right = ((1,) * (rank - len(shape)) + tuple(shape) for shape in (one, two))
    if any(a != b and 1 not in (a, b) for a, b in zip(left, right, strict=True)):
        raise Refused(f"{list(one)} and {list(two)} are not broadcast to each other")
    return tuple(b if a == 1 else a for a, b in zip(left, right, strict=True))


def stripped(value: Value) -> Value:
    """A value without the axes that it is broadcast along."""
    if value.term.operator != "spread":
        return value
    base = value.term.operands[0]
    return Value(base, tuple(tuple(a for a in group if a < len(base.shape)) for group in value.groups))


def spread(store: Store, value: Value, shape: Sequence[int]) -> Value:
    """A value broadcast to a shape. New axes lie behind the term's own, small ones first: those of one length are as good as each other."""
    groups = ((),) * (len(shape) - len(value.groups)) + value.groups
    held = (1,) * (len(shape) - len(value.groups)) + value.shape
    if len(held) != len(shape) or any(size not in (1, wanted) for size, wanted in zip(held, shape, strict=True)):
        raise Refused(f"{list(value.shape)} is not broadcast to {list(shape)}")
    new = [axis for axis, wanted in enumerate(shape) if held[axis] != wanted]
    if not new:
        return Value(value.term, groups)
    AXIOM.use(store)
    base = stripped(Value(value.term, groups))
    own = len(base.term.shape)
    # by axis of the tensor, the sizes that it is broadcast along: those before, and the new ones
    along = [(index, value.term.shape[a]) for index, group in enumerate(groups) for a in group if a >= own] + [
        (index, shape[index]) for index in new
    ]
    ordered = sorted(along, key=lambda one: one[1])
    made = store.term("spread", [*base.term.shape, *(size for _, size in ordered)], (base.term,))
    numbers: dict[int, list[int]] = {}
    for number, (index, _) in enumerate(ordered):
        numbers.setdefault(index, []).append(own + number)
    return Value(
        made,
        tuple(group if index not in numbers else (*group, *numbers[index]) for index, group in enumerate(base.groups)),
    )
