"""A convolution in groups, said as one convolution for each group."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from safeconvert.prove.axioms.affine import affine, parts
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.convolution import windowed
from safeconvert.prove.axioms.group_products import contract_groups
from safeconvert.prove.axioms.joining import concatenated, together
from safeconvert.prove.axioms.operands import regrouped
from safeconvert.prove.kernel.layout import Groups, Value, along
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Store, Term

_ALIKE = "all groups have the same windows and padding"
_EQUAL = "all groups make as many channels"


def _concat(n: Node) -> list[Value]:
    """Concat: of convolutions of one tensor's groups of channels, or of anything."""
    values = [operand for operand in n.operands if isinstance(operand, Value)]
    if len(values) == len(n.operands) > 1:
        found = _in_groups(n.store, values, n.attributes["axis"] % len(n.shape))
        if found is not None:
            return [found]
    return concatenated(n)


def _in_groups(store: Store, values: Sequence[Value], axis: int) -> Value | None:
    """Convolutions, behind factors and offsets, joined along their channels; None where they are not of one tensor's groups."""
    made = [parts(value.term) for value in values]
    cores = [core for core, *_ in made]
    first = cores[0]
    if first.operator not in ("conv", "contract") or any(core.operator != first.operator for core in cores):
        return None
    kernels = [core.constants[0].values for core in cores]
    index, counts = first.setting[0], [kernel.shape[-1] for kernel in kernels]
    frames = {_without(value, axis, index) for value in values}
    channel = [(index,) if count != 1 else () for count in counts]
    if (
        [value.groups[axis] for value in values] != channel
        or len(frames) != 1
        or len({k.shape[:-1] for k in kernels}) != 1
    ):
        return None
    whole = _read(store, cores)
    if whole is None or not AXIOM.holds(store, _ALIKE, all(core.setting == first.setting for core in cores)):
        return None
    if not AXIOM.holds(store, _EQUAL, len(set(counts)) == 1):
        return None
    AXIOM.use(store)
    one = _convolved(store, whole, cores)
    [frame] = frames
    factor, offset, size = (_joined(some, counts, index) for some in zip(*(found[1:] for found in made), strict=True))
    term = affine(store, one.term, *(along(array, one) for array in (factor, offset, size)))
    return regrouped(Value(term, one.groups), (*frame[:axis], (index,), *frame[axis + 1 :]))


def _without(value: Value, axis: int, index: int) -> Groups:
    """Where the axes of a convolution lie but for its channels, counted as if it had these, at their index."""
    more = not value.groups[axis]
    return tuple(() if n == axis else tuple(a + (more and a >= index) for a in g) for n, g in enumerate(value.groups))


def _read(store: Store, cores: Sequence[Term]) -> Value | None:
    """The tensor whose groups of channels are read; in windows as its first convolution reads it, else with its channels last."""
    if cores[0].operator == "conv":
        return together(store, [Value(core.operands[0], core.setting[3]) for core in cores], 1)
    values = []
    for core in cores:
        over, rank = core.setting[1], len(core.operands[0].shape)
        if len(over) > 1:
            return None
        values.append(Value(core.operands[0], (*((a,) for a in range(rank) if a not in over), over)))
    return together(store, values, cores[0].setting[0])


def _convolved(store: Store, whole: Value, cores: Sequence[Term]) -> Value:
    """One convolution in all groups, with an axis for each of one group's, its channels at their index."""
    kernel = np.concatenate([core.constants[0].values for core in cores], -1)
    first = cores[0]
    if first.operator == "contract":
        return contract_groups(store, whole, len(whole.groups) - 1, kernel.reshape(-1, kernel.shape[-1]), len(cores))
    index, windows, group, _ = first.setting
    sizes = list(first.shape)
    sizes[index : index + (first.constants[0].values.shape[-1] != 1)] = [kernel.shape[-1]]
    term = windowed(store, whole, kernel, windows, group * len(cores), sizes)
    return Value(term, tuple((axis,) for axis in range(len(sizes))))


def _joined(arrays: Sequence[Array], counts: Sequence[int], index: int) -> Array:
    """Constants that are broadcast to the groups as one that is broadcast to all of them."""
    wide = [array if count != 1 else np.expand_dims(array, index) for array, count in zip(arrays, counts, strict=True)]
    shape = np.max([array.shape for array in wide], axis=0)
    full = []
    for array, count in zip(wide, counts, strict=True):
        shape[index] = count
        full.append(np.broadcast_to(array, shape))
    return np.concatenate(full, index)


AXIOM = Axiom(
    "convolutions of groups",
    "Convolutions of all places of one tensor along its channels, in order, each making as many as the next, are one convolution in groups where they are joined along theirs; "
    "factors and offsets of each are one of all.",
    (_ALIKE, _EQUAL),
    {"Concat": _concat},
)
