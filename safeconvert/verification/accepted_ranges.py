"""Which integers the source takes: what its graph says, tried on the native model, else smaller ones until it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from safeconvert.core.signature import Signature
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.graph.ranges import IntegerRange
from safeconvert.inputs.generate import generate
from safeconvert.inputs.store import materialise
from safeconvert.workers.run import Run
from safeconvert.workers.session import Session

_TRIED = 8  # samples: one of each kind of made-up integers, the farthest among them
_NEARER = (70_000, 1000)
_UNKNOWN = (IntegerRange(-9, 10), IntegerRange(0, 10), IntegerRange(0, 2))
"""For a source without an ONNX form, of which nothing is known."""


def accepted_ranges(
    run: Run,
    session: Session,
    inferred: Mapping[str, IntegerRange],
    given: Mapping[str, tuple[int, int]],
    readable: bool,
) -> dict[str, IntegerRange]:
    """By input, the widest of the likely ranges on which the source runs; an input of which none was inferred may be absent.

    Args:
        run: the surroundings.
        session: the source.
        inferred: as its graph tells.
        given: by the user; these are not tried.
        readable: whether the source has a graph that could be read.
    """
    signature = session.signature
    settled: dict[str, IntegerRange] = {}
    for spec in signature.inputs:
        wide = spec.dtype in ("int16", "int32", "int64", "uint16", "uint32", "uint64")
        if spec.name in given or not (spec.name in inferred or (wide and not readable)):
            continue
        for candidate in _likely(inferred.get(spec.name)):
            low = 0 if spec.dtype.startswith("uint") else candidate.low
            fitting = replace(candidate, low=max(candidate.low, low))
            if _runs(run, session, signature, given, {**settled, spec.name: fitting}):
                settled[spec.name] = fitting
                break
    return settled


def _likely(inferred: IntegerRange | None) -> tuple[IntegerRange, ...]:
    """Ranges to try, the one that shows most first."""
    if inferred is None:
        return _UNKNOWN
    far = inferred.far or (0, 0)
    nearer = [(max(far[0], -most), min(far[1], most + 1)) for most in _NEARER]
    smaller = (
        [*(replace(inferred, far=one) for one in nearer if one != far), replace(inferred, far=None)]
        if inferred.far
        else []
    )
    if inferred.low < 0:
        smaller.append(IntegerRange(0, inferred.high))
    if inferred.high > 10:
        smaller.append(IntegerRange(0, 10))
    return (inferred, *smaller, IntegerRange(0, 2))


def _runs(
    run: Run,
    session: Session,
    signature: Signature,
    given: Mapping[str, tuple[int, int]],
    ranges: Mapping[str, IntegerRange],
) -> bool:
    if not session.alive:
        return False
    try:
        made = generate(signature, _TRIED, 0, given, ranges)
        chunks = materialise(made, run.kept("tried"), _TRIED, lambda count: None)
        return session.accepts([chunk.arrays for chunk in chunks], run.scratch)
    except (AdapterFailure, UnusableInput):
        return False
