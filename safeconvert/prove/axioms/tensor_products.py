"""MatMul of two computed tensors."""

from __future__ import annotations

from safeconvert.prove.axioms.affine import affine, normalised, scale
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.contraction import contract, matrix_product
from safeconvert.prove.axioms.operands import only_floating
from safeconvert.prove.axioms.sums import total
from safeconvert.prove.kernel.layout import Groups, Value, along, transposed
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused, Store

Pairs = list[tuple[int, int]]


def _matmul(n: Node) -> list[Value]:
    if not all(isinstance(operand, Value) for operand in n.operands):
        return matrix_product(n)
    only_floating(n)
    return [tensor_product(n.store, n.value(0), n.value(1))]


def _gemm(n: Node) -> list[Value]:
    only_floating(n)
    first, second = n.value(), n.operands[1]
    if n.attributes["transA"]:
        first = transposed(n.store, first, (1, 0))
    if isinstance(second, Value):
        turned = transposed(n.store, second, (1, 0)) if n.attributes["transB"] else second
        made = scale(n.store, tensor_product(n.store, first, turned), n.attributes["alpha"])
    else:
        matrix = n.real(1).T if n.attributes["transB"] else n.real(1)
        made = contract(n.store, first, 1, matrix * n.attributes["alpha"])
    third = n.operands[2] if len(n.operands) > 2 else None
    if third is None:
        return [made]
    if isinstance(third, Value):
        return [total(n.store, made, scale(n.store, third, n.attributes["beta"]))]
    return [Value(affine(n.store, made.term, 1.0, along(n.real(2) * n.attributes["beta"], made)), made.groups)]


def tensor_product(store: Store, one: Value, two: Value) -> Value:
    """The product of two tensors as MatMul has it, single numbers drawn out in front."""
    AXIOM.use(store)
    (one, left), (two, right) = (_without_weight(store, value) for value in (one, two))
    return scale(store, _product(store, one, two), left * right)


def _product(store: Store, one: Value, two: Value) -> Value:
    if min(len(one.groups), len(two.groups)) < 2:
        raise Refused("MatMul: a product with a vector")
    rank = max(len(one.groups), len(two.groups))
    ours, theirs = (((),) * (rank - len(value.groups)) + value.groups for value in (one, two))
    summed = _meeting(one, two, ours[-1], theirs[-2])
    both = [pair for g, h in zip(ours[:-2], theirs[:-2], strict=True) if g and h for pair in _meeting(one, two, g, h)]
    swap = two.term.number < one.term.number
    if swap:
        summed, both = ([(y, x) for x, y in pairs] for pairs in (summed, both))
    first, second = (two, one) if swap else (one, two)
    summed, both = sorted(summed), sorted(both)
    bound = [{pair[side] for pair in summed + both} for side in (0, 1)]
    free = [[a for a in range(len(v.term.shape)) if a not in bound[side]] for side, v in enumerate((first, second))]
    axes = [x for x, _ in both] + free[0]
    sizes = [first.term.shape[a] for a in axes] + [second.term.shape[a] for a in free[1]]
    of_first = {a: n for n, a in enumerate(axes)}
    of_second = {y: n for n, (_, y) in enumerate(both)} | {a: len(axes) + n for n, a in enumerate(free[1])}
    mine, other = (of_second, of_first) if swap else (of_first, of_second)
    lead = zip(ours[:-2], theirs[:-2], strict=True)
    groups: Groups = tuple(tuple(mine[a] for a in g) if g else tuple(other[a] for a in h) for g, h in lead)
    groups += (tuple(mine[a] for a in ours[-2]), tuple(other[a] for a in theirs[-1]))
    return Value(store.term("dot", sizes, (first.term, second.term), (tuple(summed), tuple(both))), groups)


def _meeting(one: Value, two: Value, left: tuple[int, ...], right: tuple[int, ...]) -> Pairs:
    if [one.term.shape[a] for a in left] != [two.term.shape[a] for a in right]:
        raise Refused("MatMul: operands hold an axis in other parts")
    return list(zip(left, right, strict=True))


def _without_weight(store: Store, value: Value) -> tuple[Value, float]:
    """A value without the number in front of it, or without the largest weight of what it is linear in, and that number."""
    rest, factor = normalised(store, value)
    return (rest, float(factor.item())) if factor.size == 1 else (value, 1.0)


AXIOM = Axiom(
    "products of tensors",
    "A product of tensors is said by the axes that are summed, that run along and that are free; a·b = (bᵀ·aᵀ)ᵀ; (s·a)·(t·b) = st·(a·b).",
    (),
    {"MatMul": _matmul, "Gemm": _gemm},
)
