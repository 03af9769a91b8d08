"""Which generated inputs can tell two models apart: those on which the source does not move by rounding alone.

An image of one colour, normalised by its own deviation, is rounding divided by next to nothing; a value on the edge of a
`round` or a tie of two labels falls to either side. What the source gives there is no property of the model. Such a sample is
found with the native source alone: every value of its input moves by a few units in the last place, about what the rounding of
a deep net's layers adds up to, and an output moves beyond the tolerance. It lies outside the domain, as one with NaN does; a
user's own inputs are never left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated, evaluate
from safeconvert.core.arrays import save_array
from safeconvert.errors import AdapterFailure
from safeconvert.inputs.store import Chunk
from safeconvert.verification.native import compare, unchanged_contract
from safeconvert.workers.run import Run
from safeconvert.workers.session import Session

SEVERAL = 8
"""Draws that tell whether the order of a detector's scores, which saturate at one number, is rounding."""
_UNITS = 8
_LEAST = 0.5


def stable_samples(
    run: Run,
    session: Session,
    tried: tuple[Sequence[Chunk], Evaluated],
    seed: int,
    usable: np.ndarray,
    settings: VerifySettings,
    draws: int | None = None,
) -> np.ndarray:
    """The usable samples on which the source stays within the tolerance.

    Args:
        run, settings: the surroundings, and how outputs are compared.
        session: the source.
        tried: generated inputs, and the source's outputs on these.
        seed: of the first draw.
        usable: numbers of the samples to choose from.
        draws: in how many every value moves up or down; None for `SEVERAL` of whole calls, as a detector's are, whose order one draw may leave as it was, and else one.
    """
    chunks, outputs = tried
    stable = usable
    for draw in range(draws or (SEVERAL if any(chunk.whole for chunk in chunks) else 1)):
        held = [bool(np.any((chunk.start <= stable) & (stable < chunk.stop))) for chunk in chunks]
        own = [chunk for chunk, kept in zip(chunks, held, strict=True) if kept]
        given = tuple(files for files, kept in zip(outputs.outputs, held, strict=True) if kept)
        if own:
            stable = np.setdiff1d(
                stable, _moving(run, session, (own, replace(outputs, outputs=given)), seed + draw, settings)
            )
    return stable


def _moving(
    run: Run, session: Session, tried: tuple[Sequence[Chunk], Evaluated], seed: int, settings: VerifySettings
) -> np.ndarray:
    """Numbers of the samples on which the source moves beyond the tolerance in one draw; none where that cannot be run."""
    chunks, outputs = tried
    generator = np.random.default_rng(seed)
    moved = [_moved(run, chunk, generator) for chunk in chunks]
    none: np.ndarray = np.empty(0, dtype=np.int64)
    if not any(chunk != own for chunk, own in zip(moved, chunks, strict=True)):
        return none
    try:
        others = evaluate(run, session, [dict(chunk.arrays) for chunk in moved], "running the source again")
    except AdapterFailure:
        return none
    contract = unchanged_contract(session.signature, session.signature)
    return compare(contract, outputs, others, chunks, replace(settings, comparator=None)).unequal()


def unless_most(stable: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """The stable samples; all usable ones where fewer than half are stable: a model that moves everywhere is judged on everything."""
    return stable if len(stable) >= _LEAST * len(usable) else usable


def _moved(run: Run, chunk: Chunk, generator: np.random.Generator) -> Chunk:
    """The chunk with every float `_UNITS` units up or down; integers and halves of whole numbers, which are exact, stay."""
    arrays, folder = dict(chunk.arrays), None
    for name, path in chunk.arrays.items():
        array = np.load(path, allow_pickle=False)
        if array.dtype.kind != "f":
            continue
        folder = folder or run.folder("moved")
        steps = np.where(generator.random(array.shape) < 0.5, -_UNITS, _UNITS).astype(array.dtype)
        arrays[name] = folder / path.name
        exact = array * 2 == np.rint(array * 2)
        save_array(arrays[name], np.where(exact, array, array + steps * np.spacing(array)))
    return replace(chunk, arrays=arrays)
