"""The inputs of a run: opened or generated, split, and written out for the workers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from safeconvert.config.options import DataOptions
from safeconvert.config.settings import InputSettings
from safeconvert.conversion.models import Export
from safeconvert.core.files import clone, is_folder, is_there
from safeconvert.core.resources import data_folder
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.graph.ranges import IntegerRange
from safeconvert.inputs.arrays import DAMAGE
from safeconvert.inputs.calls import Calls
from safeconvert.inputs.distinct import distinct_samples
from safeconvert.inputs.generate import generate
from safeconvert.inputs.images import first_image_size
from safeconvert.inputs.interface import InputSet
from safeconvert.inputs.open import open_inputs
from safeconvert.inputs.preprocessing import Preprocessing, preset_or_file
from safeconvert.inputs.rest import First, Rest, chunks_digest, rest_of
from safeconvert.inputs.shards import shard_files
from safeconvert.inputs.split import Split, split
from safeconvert.inputs.store import Chunk, materialise
from safeconvert.registry.manifest import framework
from safeconvert.verification.given_inputs import GivenFiles, copied_inputs, named_as_given, read_in_place
from safeconvert.verification.tables import Tables
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run
from safeconvert.workers.session import load_files

_WIDE = ("int16", "int32", "int64", "uint16", "uint32", "uint64")
"""Integers of which the whole range is no input; bytes take theirs."""
_ONE_CALL = 1024  # numbers of a vector that may be one call of a model whose shapes nobody declares


@dataclass(frozen=True)
class Dataset:
    """What all models of a run are fed.

    Attributes:
        inputs: where the samples come from.
        split: which samples steer decisions, and which only the verdict sees.
        seed: of the generated inputs and the split.
        generated: whether safeconvert made the inputs up.
        chunks: the samples as files, in the source's names and order of dimensions; those of `extra` at the end.
        sha256: of the inputs that were read: of the copy of given ones.
        files: the given ones; None where the inputs were generated.
        distinct: numbers of the samples that equal none before them.
        extra: of each sample after the inputs', where it comes from: `generated`, `perturbed` or `coverage`.
        limited: the user said how many inputs are used or generated.
        nonfinite: numbers of the given samples that hold NaN or Inf.
        rest: inputs behind these, which are compared in passing; None where these are all.
        samples: SHA-256 over the bytes of the samples that were compared, as they were fed, where there is a rest or they are read in place.
    """

    inputs: InputSet
    split: Split
    seed: int
    generated: bool
    chunks: tuple[Chunk, ...]
    sha256: str
    distinct: np.ndarray
    extra: tuple[str, ...] = ()
    limited: bool = False
    files: GivenFiles | None = None
    nonfinite: tuple[int, ...] = ()
    rest: Rest | None = None
    samples: str = ""

    @property
    def given(self) -> tuple[Chunk, ...]:
        """The chunks without those made up beside them."""
        return tuple(chunk for chunk in self.chunks if chunk.start < self.inputs.count)


def read_preprocessing(options: DataOptions) -> Preprocessing | None:
    """The preset or file asked for. Raises UnusableInput for an unknown one."""
    if not options.preprocessing:
        return None
    return preset_or_file(options.preprocessing, data_folder("configs") / "preprocessing.toml")


def prepare(
    run: Run,
    options: DataOptions,
    signature: Signature,
    ranges: Mapping[str, IntegerRange],
    mixing: bool = False,
    passing: bool = False,
) -> Dataset:
    """Open or generate the inputs of a source model and write them out.

    Args:
        run: the surroundings.
        options: what the user asked for.
        signature: of the source.
        ranges: of integer inputs, as read off the source's graph; what the user gave goes first.
        mixing: the source mixes the samples of a call, whatever its shapes say: each input is a whole call.
        passing: of many inputs, only the first are written out; the others are left to be compared in passing.

    Raises:
        UnusableInput: inputs that cannot be read or do not fit, or no space to write them.
    """
    settings = run.settings.inputs
    seed = settings.seed if options.seed is None else options.seed
    preprocessing = read_preprocessing(options)
    copied = copied_inputs if options.shard is None else read_in_place
    files = copied(run, options.path, options.limit) if options.path is not None else None
    with named_as_given(files) if files is not None else nullcontext():
        if files is not None:
            inputs = open_inputs(
                files.copy, signature, preprocessing, options.limit, options.nonfinite, partial(Tables, run)
            )
            if mixing and not inputs.whole:
                inputs = Calls(inputs, _rows_of_a_call(inputs, signature))
        else:
            count = options.limit or settings.generated
            inputs = generate(signature, count, seed, options.ranges, ranges, mixing or None)
        rest = _rest(inputs, settings, options.shard) if passing else None
        inputs = First(inputs, rest.first) if rest is not None else inputs
        sha256 = inputs.digest() if rest is None or (options.path is not None and options.shard is None) else ""
        with run.phases.phase("reading inputs", inputs.count) as advance:
            chunks = materialise(inputs, run.kept("inputs"), settings.chunk, advance)
    distinct = distinct_samples(chunks)
    parts = split(len(distinct), settings.held_out, seed)
    chosen = Split(*(tuple(int(distinct[index]) for index in part) for part in (parts.steer, parts.held_out)))
    limited = options.limit is not None
    holding = _nonfinite(chunks) if options.nonfinite else ()
    return Dataset(
        inputs,
        chosen,
        seed,
        options.path is None,
        chunks,
        sha256,
        distinct,
        limited=limited,
        files=files,
        nonfinite=holding,
        rest=rest,
        samples=chunks_digest(chunks) if files is not None and files.in_place and rest is None else "",
    )


def _rest(inputs: InputSet, settings: InputSettings, shard: tuple[int, int] | None) -> Rest | None:
    """What comes behind the first inputs; None where that is nothing. Raises UnusableInput for a shard of nothing."""
    if inputs.count > settings.first:
        rest = rest_of(inputs, settings.first, settings.chunk, shard)
        if rest.start < rest.stop:
            return rest
    if shard is None:
        return None
    raise UnusableInput(
        f"--shard {shard[0]}/{shard[1]}: there is nothing in it: {inputs.count} inputs, of which every shard compares the first "
        f"{settings.first}",
        "ask for fewer shards, or leave --shard out",
    )


def _nonfinite(chunks: Sequence[Chunk]) -> tuple[int, ...]:
    """Numbers of the samples that hold NaN or Inf."""
    found: list[int] = []
    for chunk in chunks:
        arrays = list(load_files(chunk.arrays).values())
        for row in range(chunk.stop - chunk.start):
            rows = [array if chunk.whole else array[row] for array in arrays if array.dtype.kind == "f"]
            found += [chunk.start + row] if not all(np.isfinite(one).all() for one in rows) else []
    return tuple(found)


def _rows_of_a_call(inputs: InputSet, signature: Signature) -> int:
    """How many given rows make a call: as many as the model fixes; else an image alone, and of an array all."""
    fixed = {spec.batch for spec in signature.inputs} - {None}
    alone = inputs.preprocessing is not None or inputs.kinds != ("array",)
    return min(inputs.count, max(size or 1 for size in fixed)) if fixed else 1 if alone else inputs.count


def graph_ranges(run: Run, signature: Signature, exported: Export) -> dict[str, IntegerRange]:
    """The integers that inputs take (rows of the tables they index, or numbers), read off the source's ONNX form.

    Bytes take their whole range and real inputs any numbers, unless they index a table.
    """
    if exported.path is None:
        return {}
    request = CallFunction(framework("onnx", run.adapters).folder, "input_ranges", {"path": exported.path})
    try:
        by_position = run.pool.worker("onnx").call("onnx", f"reading {exported.path.name}", request)
    except AdapterFailure:
        return {}
    found: dict[str, IntegerRange] = {}
    for spec, given in zip(signature.inputs, by_position, strict=False):
        taken = None if given is None else IntegerRange.from_json(given)
        if taken is not None and (taken.rows or spec.dtype in _WIDE):
            fitting = _fitting(taken, spec)
            found |= {spec.name: fitting} if fitting is not None else {}
    return found


def _fitting(taken: IntegerRange, spec: TensorSpec) -> IntegerRange | None:
    """The range within what the input's type holds; None where nothing is left."""
    if spec.numbers is None or spec.numbers.kind not in "iu":
        return taken
    limits = np.iinfo(spec.numbers)
    least, most = int(limits.min), min(int(limits.max), 2**62)
    low, high = max(taken.low, least), min(taken.high, most + 1)
    least = -most if spec.dtype == "uint64" else least  # far below zero are those that int64 does not hold
    far = None if taken.far is None else (max(taken.far[0], least), min(taken.far[1], most + 1))
    near = tuple(value for value in taken.near if low <= value < high)
    return replace(taken, low=low, high=high, far=far, near=near) if low < high else None


def indices(samples: tuple[int, ...], usable: np.ndarray) -> np.ndarray:
    """The samples of one part of the split that can be used."""
    return np.intersect1d(np.asarray(samples, dtype=np.int64), usable)


def sample_file(run: Run, options: DataOptions) -> str:
    """A copy of the file of given arrays, where workers may read it; "" where none are given."""
    path = options.path
    if path is None or path.suffix not in (".npy", ".npz") or not is_there(path):
        return ""
    copy = run.kept("sample") / path.name
    try:
        clone(path, copy)
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be read: {error.strerror}") from error
    return str(copy)


def shapes_suggested(options: DataOptions) -> tuple[tuple[int, ...], ...]:
    """Shapes that the inputs suggest for a source that declares none, most likely first, batch of one.

    An array suggests a batch of its rows, after itself where it is small enough to be one call; images suggest the size that the preprocessing makes of the first one, with three
    channels and with one, channels second and last.
    """
    path = options.path
    if path is None:
        return ()
    try:
        if shard_files(path):
            return ()
        if is_folder(path):
            height, width = first_image_size(path, read_preprocessing(options))
            return tuple(shape for count in (3, 1) for shape in ((1, count, height, width), (1, height, width, count)))
        if path.suffix == ".npy":
            return _shapes_of([np.load(path, mmap_mode="r", allow_pickle=False).shape])
        with np.load(path, allow_pickle=False) as archive:
            return _shapes_of([archive[name].shape for name in archive.files[:8]])
    except (*DAMAGE, UnusableInput):
        return ()  # opening the inputs proper says what is wrong with them


def whole_shapes(options: DataOptions) -> tuple[tuple[int, ...], ...]:
    """Shapes of given arrays as one call; () where there are none, or they are too large to be tried so."""
    path = options.path
    if path is None or is_folder(path) or shard_files(path):
        return ()
    try:
        if path.suffix == ".npy":
            shapes = [np.load(path, mmap_mode="r", allow_pickle=False).shape]
        else:
            with np.load(path, allow_pickle=False) as archive:
                shapes = [archive[name].shape for name in archive.files[:8]]
    except DAMAGE:
        return ()
    return tuple(shapes) if all(math.prod(shape) <= _ONE_CALL for shape in shapes) else ()


def _shapes_of(shapes: Sequence[tuple[int, ...]]) -> tuple[tuple[int, ...], ...]:
    """Each array as one call where all are vectors or the like, then each as rows."""
    whole = [shape for shape in shapes if len(shape) == 1 and shape[0] <= _ONE_CALL]
    return (*whole, *((1, *shape[1:]) for shape in shapes))
