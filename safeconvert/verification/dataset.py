"""The inputs of a run: opened or generated, split, and written out for the workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from safeconvert.compare.comparators import is_finite
from safeconvert.config.options import DataOptions
from safeconvert.conversion.models import Evaluated, Export
from safeconvert.core.resources import data_folder
from safeconvert.core.signature import Signature
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.inputs.arrays import DAMAGE
from safeconvert.inputs.generate import generate
from safeconvert.inputs.images import first_image_size
from safeconvert.inputs.interface import InputSet
from safeconvert.inputs.open import open_inputs
from safeconvert.inputs.preprocessing import Preprocessing, preset_or_file
from safeconvert.inputs.split import Split, split
from safeconvert.inputs.store import Chunk, materialise
from safeconvert.registry.manifest import framework
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Context
from safeconvert.workers.session import load_files

_WIDE = ("int16", "int32", "int64", "uint16", "uint32", "uint64")
"""Integers of which the whole range is no input; bytes take theirs."""


@dataclass(frozen=True)
class Dataset:
    """What all models of a run are fed.

    Attributes:
        inputs: where the samples come from.
        split: which samples steer decisions, and which only the verdict sees.
        seed: of the generated inputs and the split.
        generated: whether safeconvert made the inputs up.
        chunks: the samples as files, in the source's names and order of dimensions.
    """

    inputs: InputSet
    split: Split
    seed: int
    generated: bool
    chunks: tuple[Chunk, ...]


def read_preprocessing(options: DataOptions) -> Preprocessing | None:
    """The preset or file asked for. Raises UnusableInput for an unknown one."""
    if not options.preprocessing:
        return None
    return preset_or_file(options.preprocessing, data_folder("configs") / "preprocessing.toml")


def prepare(
    context: Context, options: DataOptions, signature: Signature, ranges: dict[str, tuple[int, int]]
) -> Dataset:
    """Open or generate the inputs of a source model and write them out.

    Args:
        context: of the run.
        options: what the user asked for.
        signature: of the source.
        ranges: of integer inputs, as read off the source's graph; what the user gave goes first.

    Raises:
        UnusableInput: inputs that cannot be read or do not fit, or no space to write them.
    """
    settings = context.settings.inputs
    seed = settings.seed if options.seed is None else options.seed
    if options.path is not None:
        inputs = open_inputs(options.path, signature, read_preprocessing(options), options.limit)
    else:
        inputs = generate(signature, options.limit or settings.generated, seed, {**ranges, **options.ranges})
    parts = split(inputs.count, settings.held_out, seed)
    with context.phases.phase("reading inputs", inputs.count) as advance:
        chunks = materialise(inputs, context.folder("inputs"), settings.chunk, advance)
    return Dataset(inputs, parts, seed, options.path is None, chunks)


def graph_ranges(context: Context, signature: Signature, exported: Export) -> dict[str, tuple[int, int]]:
    """Ranges of integer inputs (rows of the tables they index, or of numbers), read off the source's ONNX form."""
    if exported.path is None or not any(spec.dtype in _WIDE for spec in signature.inputs):
        return {}
    request = CallFunction(framework("onnx", context.adapters).folder, "input_ranges", {"path": exported.path})
    try:
        by_position = context.pool.worker("onnx").call("onnx", f"reading {exported.path.name}", request)
    except AdapterFailure:
        return {}
    return {
        spec.name: (max(limits[0], int(np.iinfo(spec.dtype).min)), limits[1])
        for spec, limits in zip(signature.inputs, by_position, strict=False)
        if limits and spec.dtype in _WIDE
    }


def indices(samples: tuple[int, ...], usable: np.ndarray) -> np.ndarray:
    """The samples of one part of the split that can be used."""
    return np.intersect1d(np.asarray(samples, dtype=np.int64), usable)


def finite_samples(outputs: Evaluated, chunks: Sequence[Chunk]) -> np.ndarray:
    """Numbers of the samples for which every output is finite."""
    kept = []
    for chunk, files in zip(chunks, outputs.outputs, strict=True):
        finite = np.ones(chunk.stop - chunk.start, dtype=bool)
        for array in load_files(files).values():
            if chunk.whole:
                finite &= bool(is_finite(array).all())
            elif array.shape[:1] == finite.shape and np.issubdtype(array.dtype, np.inexact):
                finite &= is_finite(array).reshape(len(array), -1).all(axis=1)
        kept.append(np.arange(chunk.start, chunk.stop)[finite])
    return np.concatenate(kept)


def sample_file(options: DataOptions) -> str:
    """The file of given arrays, "" where none are given."""
    path = options.path
    return str(path.absolute()) if path is not None and path.suffix in (".npy", ".npz") and path.is_file() else ""


def shapes_suggested(options: DataOptions) -> tuple[tuple[int, ...], ...]:
    """Shapes that the inputs suggest for a source that declares none, most likely first, batch of one.

    An array suggests its own; images suggest the size that the preprocessing makes of the first one, with three
    channels and with one, channels second and last.
    """
    path = options.path
    if path is None:
        return ()
    try:
        if path.is_dir():
            height, width = first_image_size(path, read_preprocessing(options))
            return tuple(shape for count in (3, 1) for shape in ((1, count, height, width), (1, height, width, count)))
        if path.suffix == ".npy":
            return ((1, *np.load(path, mmap_mode="r", allow_pickle=False).shape[1:]),)
        with np.load(path, allow_pickle=False) as archive:
            return tuple((1, *archive[name].shape[1:]) for name in archive.files[:8])
    except (*DAMAGE, UnusableInput):
        return ()  # opening the inputs proper says what is wrong with them
