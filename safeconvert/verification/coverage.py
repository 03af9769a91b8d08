"""What the inputs of a run exercise of the source, measured on its ONNX form; and more inputs where they leave something out.

Both sides of activations, bounds and comparisons, every stretch of a table's rows, both signs where integers are divided, what is not
saturated, and every element of an output. What is not exercised is named: nothing is known of a target there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.conversion.models import Evaluated, Export
from safeconvert.core.signature import Signature
from safeconvert.errors import SafeconvertError
from safeconvert.inputs.generate import GeneratedInputs
from safeconvert.inputs.statistics import Looks
from safeconvert.inputs.store import Chunk, materialise, picked
from safeconvert.registry.manifest import framework
from safeconvert.verification.output_elements import output_elements
from safeconvert.verification.reaching import SearchRequest, ask_to_reach, reached_chunks
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run
from safeconvert.workers.session import load_files

_RECIPES = ((0, 0.1), (0, 30), (3, 1), (-3, 1), (0, 300), (10, 3), (-10, 3), (0, 0.001))
"""Offset and scale of made-up values that may reach what others do not, in deviations."""
_LARGE = 50_000  # values of a sample past which fewer samples are measured
_GROUP, _GROUP_OF_LARGE = 4, 1
_MEASURED, _MEASURED_OF_LARGE = 96, 8
_HEAVY = 16 << 20  # bytes of a graph past which fewer samples are measured


@dataclass(frozen=True)
class Coverage:
    """What was exercised.

    Attributes:
        items: all that can be, in the graph's order.
        exercised: those that were.
        inputs: on how many inputs that was measured.
        reason: why nothing could be measured; else "".
        impossible: what has two sides, of which no input exercises this one: the bounds of the graph's values say so.
    """

    items: tuple[str, ...]
    exercised: frozenset[str]
    inputs: int
    reason: str = ""
    impossible: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """What was not exercised."""
        return tuple(item for item in self.items if item not in self.exercised)


UNKNOWN = Coverage((), frozenset(), 0, "the source has no ONNX form")


def fewer(arrays: dict[str, np.ndarray], rows: int) -> bool:
    """Whether samples are so large that fewer are measured."""
    return max((array.size // max(1, rows) for array in arrays.values()), default=0) > _LARGE


def reaching(
    run: Run, exported: Export, signature: Signature, like: GeneratedInputs, chunks: Sequence[Chunk]
) -> tuple[Chunk, ...]:
    """Chunks of made-up samples, numbered from 0, that exercise what the given chunks leave out; () where none does.

    Args:
        run: the surroundings.
        exported: the source's ONNX form.
        signature: of the source.
        like: samples as they are made up for it; others of the same ranges and size are tried.
        chunks: the inputs so far.
    """
    if exported.path is None or not chunks:
        return ()
    first = load_files(chunks[0].arrays)
    heavy = exported.path.stat().st_size > _HEAVY
    large = heavy or fewer(first, 1 if chunks[0].whole else chunks[0].stop - chunks[0].start)
    size = _GROUP_OF_LARGE if large else _GROUP
    recipes = [_recipe(run, like, index, offset, scale, size) for index, (offset, scale) in enumerate(_RECIPES)]
    base = _first(run, chunks, _MEASURED_OF_LARGE if large else _MEASURED)
    searched = SearchRequest(exported.path, signature, like, large, chunks[0].whole)
    found = ask_to_reach(run, searched, base, [chunk for recipe in recipes for chunk in recipe])
    return tuple(reached_chunks(run, searched.whole, found, first))


def measured(
    run: Run,
    exported: Export,
    signature: Signature,
    chunks: Sequence[Chunk],
    outputs: Evaluated,
    usable: np.ndarray,
) -> Coverage:
    """What the usable samples exercise, the elements of outputs among it. Never raises for what cannot be measured."""
    rows = _rows(run, chunks, usable)
    if exported.path is None:
        return Coverage(*output_elements(chunks, outputs, usable, []), len(usable), UNKNOWN.reason)
    try:
        answer = _ask(run, exported.path, signature, rows)
    except SafeconvertError as error:
        return Coverage(*output_elements(chunks, outputs, usable, []), len(usable), error.message.splitlines()[0])
    items, exercised = output_elements(chunks, outputs, usable, answer["constant"])
    names = tuple(answer["items"])
    found = {names[index] for indices in answer["groups"] for index in indices}
    count = sum(1 if chunk.whole else chunk.stop - chunk.start for chunk in rows)
    return Coverage(
        (*names, *items), frozenset(found) | exercised, count, answer["reason"], tuple(answer["impossible"])
    )


def _recipe(run: Run, like: GeneratedInputs, index: int, offset: float, scale: float, size: int) -> tuple[Chunk, ...]:
    own = {}
    for spec in like.specs:
        look = like.looks.get(spec.name, Looks(0.0, 1.0, 0.0, 0.0))
        own[spec.name] = replace(look, mean=look.mean + offset * look.deviation, deviation=look.deviation * scale)
    made = replace(like, count=size, seed=like.seed + 101 * (index + 1), looks=own)
    return materialise(made, run.kept("recipe"), size, lambda count: None)


def _first(run: Run, chunks: Sequence[Chunk], count: int) -> list[Chunk]:
    """The last samples, which are made up beside given ones, and the first; `count` in all."""
    numbers = [number for chunk in chunks for number in range(chunk.start, chunk.stop)]
    half = count // 2
    wanted = numbers if len(numbers) <= count else [*numbers[:half], *numbers[-half:]]
    return _rows(run, chunks, np.asarray(wanted))


def _rows(run: Run, chunks: Sequence[Chunk], numbers: np.ndarray) -> list[Chunk]:
    """The samples of these numbers, as chunks of their own; of large samples the first and the last few."""
    first = load_files(chunks[0].arrays)
    large = fewer(first, 1 if chunks[0].whole else chunks[0].stop - chunks[0].start)
    if large and len(numbers) > 2 * _MEASURED_OF_LARGE:
        numbers = np.concatenate([numbers[:_MEASURED_OF_LARGE], numbers[-_MEASURED_OF_LARGE:]])
    return picked(chunks, numbers, run.folder("measured"))


def _ask(run: Run, path: Path, signature: Signature, chunks: Sequence[Chunk]) -> dict[str, Any]:
    """What the worker says of groups of inputs. Raises SafeconvertError where it dies of them."""
    request = CallFunction(
        framework("onnx", run.adapters).folder,
        "exercised",
        {
            "path": str(path),
            "groups": [{spec.name: str(chunk.arrays[spec.name]) for spec in signature.inputs} for chunk in chunks],
        },
    )
    answer: dict[str, Any] = run.pool.worker("onnx").call(
        "onnx", f"measuring what {path.name} is exercised on", request
    )
    return answer
