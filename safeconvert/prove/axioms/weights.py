"""A factor behind a convolution or a product with a matrix is a factor of its weights."""

from __future__ import annotations

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.terms import Array, Store, Term, near

_CHANNEL = "the factor varies along output channels only"
AXIOM = Axiom(
    "a factor goes into weights",
    "conv(x, W)·s = conv(x, W·s) and (x·W)·s = x·(W·s), where s varies along the output channels.",
    (_CHANNEL,),
)
WEIGHTED = {"conv", "contract", "contract in groups", "transposed conv"}
"""Terms that are linear in their one constant, whose last axis is the output channel; `setting[0]` is that channel's axis."""


def absorbed(store: Store, term: Term, factor: Array) -> Term | None:
    """The weighted term times a factor; None where the factor varies along other axes."""
    weights = term.constants[0].values
    channel = [term.setting[0]] if weights.shape[-1] != 1 else []
    apart = any(size != 1 and axis not in channel for axis, size in enumerate(factor.shape))
    if not AXIOM.holds(store, _CHANNEL, not apart) or factor.size not in (1, weights.shape[-1]):
        return None
    AXIOM.use(store)
    return store.term(term.operator, term.shape, term.operands, term.setting, [near(weights * factor.reshape(-1))])
