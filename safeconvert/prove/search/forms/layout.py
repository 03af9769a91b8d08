"""What only moves elements: Transpose, and all that gives another shape.

No operators here: a transpose permutes the groups of a value, and a reshape regroups its axes, cutting one where it must (`refine`).
"""

from __future__ import annotations

from safeconvert.prove.search.refine import coarsened, cut
from safeconvert.prove.search.step import Step
from safeconvert.prove.search.values import Value, reshaped, transposed


def transpose(step: Step) -> list[Value] | None:
    """Transpose."""
    value = step.value(0)
    if value is None:
        return None
    order = step.attributes.get("perm") or list(reversed(range(len(value.groups))))
    return [coarsened(step.store, transposed(value, order))]


def reshape(step: Step) -> list[Value] | None:
    """Reshape, Flatten, Squeeze, Unsqueeze, to the inferred shape: the order of elements stays."""
    value = step.value(0)
    if value is None or step.shape is None:
        return None
    found = reshaped(value, step.shape)
    made = coarsened(step.store, found) if found is not None else cut(step.store, value, step.shape)
    return None if made is None else [made]


def identity(step: Step) -> list[Value] | None:
    """Identity, and Dropout at inference."""
    value = step.value(0)
    if value is None or any(step.node.output[1:]) or (step.node.op_type == "Dropout" and len(step.operands) > 2):
        return None
    return [value]
