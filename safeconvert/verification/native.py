"""Two evaluated models compared: source-native vs target-native is the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from safeconvert.compare.comparators import choose
from safeconvert.compare.contract import Contract, make_contract
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.exchange import comparable_outputs, target_feeds
from safeconvert.compare.groups import ranges_of
from safeconvert.compare.half_precision import within_half
from safeconvert.compare.output_pair import Array
from safeconvert.compare.quantized import same_storage, to_real
from safeconvert.compare.scale import fitted, output_scales
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated
from safeconvert.core.arrays import save_array
from safeconvert.core.signature import Signature
from safeconvert.inputs.store import Chunk
from safeconvert.workers.session import load_files


def feed_across(contract: Contract, chunks: Sequence[Chunk], folder: Path) -> list[dict[str, Path]]:
    """Chunk files for the other model of a contract: its names, order of dimensions and dtypes."""
    plain = all(
        t.permutation is None and t.source.dtype == t.target.dtype and same_storage(t.source, t.target)
        for t in contract.inputs
    )
    if plain:
        return [{t.target.name: chunk.arrays[t.source.name] for t in contract.inputs} for chunk in chunks]
    fed = []
    for number, chunk in enumerate(chunks):
        arrays = {name: np.load(path, allow_pickle=False) for name, path in chunk.arrays.items()}
        files = {}
        for position, (name, array) in enumerate(target_feeds(contract, arrays).items()):
            files[name] = folder / f"feed-{number:05d}-{position}.npy"
            save_array(files[name], array)
        fed.append(files)
    return fed


def compare(
    contract: Contract, source: Evaluated, target: Evaluated, chunks: Sequence[Chunk], settings: VerifySettings
) -> Accumulator:
    """Accumulate the figures of two evaluated models, chunk by chunk; an output's range bounds its absolute tolerance."""
    figures = accumulator(contract, source, chunks, settings)
    for chunk, ours, theirs in zip(chunks, source.outputs, target.outputs, strict=True):
        left, right = comparable_outputs(contract, load_files(ours), load_files(theirs))
        if chunk.whole:
            left, right = ({name: array[None] for name, array in side.items()} for side in (left, right))
        figures.add(left, right, np.arange(chunk.start, chunk.stop))
    return figures


def accumulator(
    contract: Contract, source: Evaluated, chunks: Sequence[Chunk], settings: VerifySettings
) -> Accumulator:
    """An empty accumulator for outputs as large as these of the source."""
    limits = group_scales(contract, source, chunks, settings)
    settings = within_half(settings, [tensor.source for tensor in contract.outputs])
    return Accumulator(fitted(settings, real_scales(contract, source)), str(Path.cwd()), limits)


def real_scales(contract: Contract, source: Evaluated) -> dict[str, float]:
    """By real-valued output of a contract, its largest value on any input."""
    specs = {tensor.source.name: tensor.source for tensor in contract.outputs}
    real = (
        {
            name: to_real(array, specs[name])
            for name, array in load_files(files).items()
            if name in specs and choose(specs[name]) != "exact"
        }
        for files in source.outputs
    )
    return output_scales(real)


def group_scales(
    contract: Contract, source: Evaluated, chunks: Sequence[Chunk], settings: VerifySettings
) -> dict[str, Array]:
    """By output that puts quantities of very different size together, the scale of each value's group.

    An output with a tolerance of its own has none, nor has any under a user's own comparator.
    """
    if ":" in (settings.comparator or ""):
        return {}
    specs = {tensor.source.name: tensor.source for tensor in contract.outputs}
    kept = {name for name in specs if name not in settings.tolerances and choose(specs[name]) != "exact"}
    return ranges_of(
        (
            {name: to_real(array, specs[name]) for name, array in load_files(files).items() if name in kept},
            -1 if chunk.whole else chunk.stop - chunk.start,
        )
        for chunk, files in zip(chunks, source.outputs, strict=True)
    )


def unchanged_contract(native: Signature, other: Signature) -> Contract:
    """A contract in which every tensor keeps its order of dimensions, as exporters do."""
    return make_contract(
        native, other, {spec.name: None for spec in native.inputs}, {spec.name: None for spec in native.outputs}
    )
