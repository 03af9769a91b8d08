"""Products of a tensor with a constant matrix: Gemm, MatMul, and convolutions of one place."""

from __future__ import annotations

import numpy as np

from safeconvert.prove.axioms.affine import affine, only_along, parts
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.group_products import contract_groups, in_blocks
from safeconvert.prove.axioms.operands import mixed
from safeconvert.prove.axioms.reordered import reordered
from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Refused, Store, near

_ALONG = "the factor of what is summed varies along the summed axis only"


def contract(store: Store, value: Value, axis: int, weights: Array) -> Value:
    """The sum over one axis of a tensor against the first axis of a matrix, whose second takes its place."""
    AXIOM.use(store)
    group, channels = value.groups[axis], weights.shape[1]
    if value.shape[axis] != weights.shape[0]:
        raise Refused("a matrix does not fit what it is multiplied with")
    weights = weights.astype(np.float64)
    moved = reordered(store, value, axis, weights)
    if moved is not None:
        return moved
    kernel, count = in_blocks(store, weights, 1)
    if count > 1 and group:
        return contract_groups(store, value, axis, kernel, count)
    over = sorted(group)
    sizes = [value.term.shape[a] for a in group]
    plain = weights.reshape(*sizes, channels).transpose([*np.argsort(group), len(group)])
    core, s, b, m = parts(value.term)
    if not AXIOM.holds(store, _ALONG, only_along(s, over)):
        core, s = affine(store, core, s), np.ones_like(s)
    kept = [a for a in range(len(core.shape)) if a not in over]
    factor = s[tuple(slice(None) if a in over else 0 for a in range(s.ndim))]
    kernel = plain if (factor == 1).all() else plain * factor[..., None]
    shape = [core.shape[a] for a in kept] + ([channels] if channels != 1 else [])
    made = store.term("contract", shape, (core,), (len(kept), tuple(over)), [near(kernel)])
    indices = {old: new for new, old in enumerate(kept)}
    last = (len(kept),) if channels != 1 else ()
    groups = tuple(last if n == axis else tuple(indices[a] for a in g) for n, g in enumerate(value.groups))

    def summed(array: Array, matrix: Array) -> Array:
        full = np.broadcast_to(array, [core.shape[a] if a in over else array.shape[a] for a in range(array.ndim)])
        found = np.tensordot(full, matrix, (over, range(len(over))))
        return found if channels != 1 else found[..., 0]

    if not b.any():
        return Value(made, groups)
    return Value(affine(store, made, 1.0, summed(b, plain), summed(m, np.abs(plain))), groups)


def matrix_product(n: Node) -> list[Value]:
    """MatMul of a tensor and a constant matrix, on either side."""
    value, index = mixed(n)
    array, rank = n.real(1 - index), len(value.groups)
    if array.ndim < 2 or rank < max(array.ndim, 2) or any(size != 1 for size in array.shape[:-2]):
        raise Refused("MatMul: its constant is no matrix")
    matrix = array.reshape(array.shape[-2:])
    return [contract(n.store, value, rank - 1 - index, matrix.T if index else matrix)]


AXIOM = Axiom(
    "products with a matrix",
    "A 1x1 convolution, Gemm and MatMul by a constant are one sum over an axis; (x·s + b)·W = x·(s·W) + b·W; Gemm = α·x·W + β·c.",
    (_ALONG,),
)
