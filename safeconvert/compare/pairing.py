"""Which target tensor corresponds to which source tensor: by name, by position, or by the only shapes that fit."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from safeconvert.compare.layout import LayoutAmbiguous, LayoutMismatch, align_dimensions, show
from safeconvert.compare.quantized import is_quantized
from safeconvert.core.permutation import Permutation
from safeconvert.core.signature import TensorSpec

Declared = Mapping[str, Permutation | None]
"""By source tensor name, the permutation that a converter declares (None = unchanged)."""

_Fit = Callable[[TensorSpec, TensorSpec], bool]


def pair(
    role: str, source: Sequence[TensorSpec], target: Sequence[TensorSpec], declared: Declared
) -> list[tuple[TensorSpec, TensorSpec, str]]:
    """Pair the inputs or outputs of two models.

    Args:
        role: "input" or "output", for messages.
        source: the source's tensors.
        target: the target's tensors.
        declared: what the converter declares about the order of dimensions.

    Returns:
        (source tensor, target tensor, how they were paired), in the source's order. In order where nothing better is
        found: the error then names what does not fit.

    Raises:
        LayoutMismatch: the numbers of tensors differ; the message names those that only one side has.
    """
    named = {spec.name: spec for spec in target}
    ours = {spec.name for spec in source}
    if ours == named.keys() and len(source) == len(target):
        return [(spec, named[spec.name], "paired by name") for spec in source]
    if len(source) != len(target):
        missing = ", ".join(show(spec) for spec in source if spec.name not in named) or "none"
        extra = ", ".join(show(spec) for spec in target if spec.name not in ours) or "none"
        raise LayoutMismatch(
            f"the source has {len(source)} {role}s and the target {len(target)}; "
            f"only in the source: {missing}; only in the target: {extra}",
            "check that the two files belong together, and that the converter kept every input and output",
        )

    written = {_plain(spec.name): spec for spec in target}
    if len(written) == len(target) and written.keys() == {_plain(spec.name) for spec in source}:
        return [(spec, written[_plain(spec.name)], "paired by name") for spec in source]

    def fit(one: TensorSpec, two: TensorSpec) -> bool:
        try:
            align_dimensions(one, two, declared.get(one.name), one.name in declared)
            require_dtype(role, one, two)
        except LayoutAmbiguous:
            return True
        except LayoutMismatch:
            return False
        return True

    if not all(map(fit, source, target)):
        assigned = _only_assignment(source, target, fit)
        if assigned is not None:
            return [(spec, target[j], "paired by shape") for spec, j in zip(source, assigned, strict=True)]
    return [(one, two, "paired in order") for one, two in zip(source, target, strict=True)]


def _plain(name: str) -> str:
    """A name without what formats take out of it or put before it: Keras has no `a/b:0`, and calls an input `max` `v_max`."""
    return re.sub(r"\W+", "_", name.removesuffix(":0")).strip("_").lower().removeprefix("v_")


def require_dtype(role: str, source: TensorSpec, target: TensorSpec) -> None:
    """Let pass another width, or integers quantised from real values; never integers for reals.

    Raises:
        LayoutMismatch: the two dtypes cannot hold the same values.
    """
    if _family(source) != _family(target):
        raise LayoutMismatch(
            f"{role}: source {show(source)} is {source.dtype} and target {show(target)} is {target.dtype}",
            "check that the two files belong together",
        )


def _only_assignment(source: Sequence[TensorSpec], target: Sequence[TensorSpec], fit: _Fit) -> list[int] | None:
    """For each source tensor its target's position, where exactly one complete assignment fits; else None.

    In a bipartite graph with a unique perfect matching some node has a single edge, also after that edge is taken out;
    taking such edges until none is left therefore finds the matching if and only if it is unique.
    """
    edges = {(i, j) for i, one in enumerate(source) for j, two in enumerate(target) if fit(one, two)}
    found: dict[int, int] = {}
    while edges:
        rows, columns = [i for i, _ in edges], [j for _, j in edges]
        single = next(((i, j) for i, j in edges if rows.count(i) == 1 or columns.count(j) == 1), None)
        if single is None:
            return None
        found[single[0]] = single[1]
        edges = {(i, j) for i, j in edges if i != single[0] and j != single[1]}
    return [found[i] for i in range(len(source))] if len(found) == len(source) else None


def _family(spec: TensorSpec) -> str:
    if is_quantized(spec) or spec.dtype.startswith(("float", "bfloat")):
        return "real"
    return "integer" if spec.dtype.startswith(("int", "uint")) else spec.dtype.rstrip("0123456789")
