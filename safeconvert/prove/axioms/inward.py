"""Indices along an axis of what is computed: the operator of the indices of what it reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import accumulate
from math import prod

from safeconvert.prove.axioms.affine import affine, parts, unary
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.clips import clipped
from safeconvert.prove.axioms.contraction import contract
from safeconvert.prove.axioms.joining import joined, pieces
from safeconvert.prove.axioms.operands import laid
from safeconvert.prove.axioms.products import product
from safeconvert.prove.axioms.spreading import spread
from safeconvert.prove.axioms.sums import total
from safeconvert.prove.kernel.layout import Value, along, constant, reshaped
from safeconvert.prove.kernel.terms import Array, Refused, Store, Term, near

Take = Callable[[Store, Value, int, range], Value]
"""Some indices along one axis of a tensor."""
_DEEP = 40
"""Operators that indices are moved through at most; beyond that they stay where they are."""


def moved(store: Store, term: Term, axis: int, indices: range, take: Take) -> Value | None:
    """Some indices along an axis of a term, as a tensor with an axis for each of the term's; None where the axiom does not help."""
    if store.allowed is not None and AXIOM.name not in store.allowed:
        return None
    rule, depth = _RULES.get(term.operator), store.memo.get("depth", 0)
    if rule is None or depth == _DEEP:
        return None
    key = ("moved", term.number, axis, indices)
    if key not in store.memo:
        used, store.used, store.memo["depth"] = store.used, {AXIOM.name}, depth + 1
        try:
            store.memo[key] = rule(store, term, axis, indices, take), frozenset(store.used)
        except Refused:
            store.memo[key] = None, frozenset()
        store.used, store.memo["depth"] = used, depth
    made, also = store.memo[key]
    store.used |= also
    return made if isinstance(made, Value) else None


def _plain(term: Term) -> Value:
    """A term as a tensor with its axes in order."""
    return Value(term, tuple((axis,) for axis in range(len(term.shape))))


def _cut(array: Array, axis: int, indices: range) -> Array:
    """Of a constant that is broadcast to a term, what is broadcast to some indices."""
    return array if array.shape[axis] == 1 else array.take(list(indices), axis)


def _constant(store: Store, term: Term, axis: int, indices: range, take: Take) -> Value:
    return constant(store, _cut(term.constants[0].values, axis, indices))


def _affine(store: Store, term: Term, axis: int, indices: range, take: Take) -> Value:
    core, *arrays = parts(term)
    made = take(store, _plain(core), axis, indices)
    cut = (along(_cut(array, axis, indices), made) for array in arrays)
    return Value(affine(store, made.term, *cut), made.groups)


def _each(store: Store, term: Term, axis: int, indices: range, take: Take) -> Value:
    made = take(store, _plain(term.operands[0]), axis, indices)
    if term.operator == "clip":
        low, high = term.constants[0].values
        return clipped(store, made, float(low), float(high))
    return unary(store, term.operator, made, term.setting)


def _pair(join: Callable[[Store, Value, Value], Value]) -> Callable[..., Value]:
    def rule(store: Store, term: Term, axis: int, indices: range, take: Take) -> Value:
        one, two = term.operands
        places = tuple(range(len(one.shape))), term.setting
        made = [laid(operand, at, len(term.shape)) for operand, at in zip((one, two), places, strict=True)]
        first, second = (take(store, v, axis, indices) if v.groups[axis] else v for v in made)
        return join(store, first, second)

    return rule


def _contract(store: Store, term: Term, axis: int, indices: range, take: Take) -> Value:
    core, weights = term.operands[0], term.constants[0].values
    last, over = term.setting
    kept = [a for a in range(len(core.shape)) if a not in over]
    if axis < last:
        made = take(store, _plain(core), kept[axis], indices)
        summed = tuple(a for one in over for a in made.groups[one])
        tensor = Value(made.term, (*(made.groups[a] for a in kept), summed))
        found = contract(store, tensor, len(kept), weights.reshape(-1, weights.shape[-1]))
        return found if weights.shape[-1] > 1 else Value(found.term, found.groups[:-1])
    sliced = weights[..., list(indices)]
    stays = len(indices) > 1
    shape = [*(core.shape[a] for a in kept), *([len(indices)] if stays else [])]
    groups = (*((n,) for n in range(last)), (last,) if stays else ())
    return Value(store.term("contract", shape, (core,), term.setting, [near(sliced)]), groups)


def _concat(store: Store, term: Term, axis: int, indices: range, take: Take) -> Value:
    rank = len(term.shape)
    whole = pieces(term)
    if axis != rank - 1:
        return joined(store, [take(store, part, axis, indices) for part in whole], rank - 1)
    starts = list(accumulate((part.shape[axis] for part in whole), initial=0))
    owner = [next(n for n, start in enumerate(starts[1:]) if index < start) for index in indices]
    made = []
    for first, part in enumerate(owner):
        if first and owner[first - 1] == part:
            continue
        count = next((n for n, other in enumerate(owner[first:]) if other != part), len(owner) - first)
        start = indices[first] - starts[part]
        step = indices.step if count > 1 else 1
        made.append(take(store, whole[part], axis, range(start, start + step * count, step)))
    return made[0] if len(made) == 1 else joined(store, made, axis)


def _spread(store: Store, term: Term, axis: int, indices: range, take: Take) -> Value:
    base = term.operands[0]
    own = len(base.shape)
    made = take(store, _plain(base), axis, indices) if axis < own else _plain(base)
    sizes = [len(indices) if a == axis else size for a, size in enumerate(term.shape)][own:]
    wide = Value(made.term, made.groups + ((),) * len(sizes))
    return spread(store, wide, (*made.shape, *sizes))


def _refine(store: Store, term: Term, axis: int, indices: range, take: Take) -> Value:
    """Of an axis that is cut: whole parts of it, where the first cut is meant; every so many, where it is the last and one."""
    at = next(n for n, end in enumerate(accumulate(map(len, term.setting))) if axis < end)
    cut = term.setting[at]
    place = axis - sum(map(len, term.setting[:at]))
    if place == 0 and (len(cut) == 1 or indices.step == 1):
        row = prod(cut[1:])
        wanted = indices if len(cut) == 1 else range(indices.start * row, (indices.start + len(indices)) * row)
    elif place == len(cut) - 1 and len(indices) == 1:
        wanted = range(indices.start, prod(cut), cut[-1])
    else:
        raise Refused("indices along an axis that is cut")
    made = take(store, _plain(term.operands[0]), at, wanted)
    return reshaped(store, made, [len(indices) if a == axis else size for a, size in enumerate(term.shape)])


def _take(store: Store, term: Term, axis: int, indices: range, take: Take) -> Value:
    """Indices of indices: along one axis these are composed, along two the one that comes first is taken first."""
    base = term.operands[0]
    own, start, step, count = term.setting
    at = axis + (count == 1 and axis >= own)
    inner = range(start, start + step * count, step)
    if at == own:
        first, then = inner[indices.start], step * indices.step
        wanted = range(first, first + then * len(indices), then)
        made = take(store, _plain(base), own, wanted if len(indices) > 1 else range(first, first + 1))
    elif at < own:
        made = take(store, take(store, _plain(base), at, indices), own, inner)
    else:
        raise Refused("indices in order")
    return Value(made.term, tuple(group for a, group in enumerate(made.groups) if a != own or count > 1))


_EACH = ("Sigmoid", "Tanh", "Erf", "Exp", "Sqrt", "Reciprocal", "Softplus", "Log", "clip")
_RULES: Mapping[str, Callable[[Store, Term, int, range, Take], Value]] = {
    **dict.fromkeys(_EACH, _each), "constant": _constant, "affine": _affine, "add": _pair(total), "mul": _pair(product), "contract": _contract,
    "concat": _concat, "spread": _spread, "refine": _refine, "take": _take,
}  # fmt: skip
AXIOM = Axiom(
    "places of what is computed",
    "Indices along an axis of sums, products, products with a matrix, Concat, and of what works on each element are these of the indices of what they read; "
    "along the output channels of a matrix they are indices of its columns; indices of indices compose.",
)
