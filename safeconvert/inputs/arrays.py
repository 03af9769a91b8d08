"""Samples from `.npy` and `.npz`."""

from __future__ import annotations

import hashlib
import lzma
import mmap
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from safeconvert.core.signature import Signature, TensorSpec, has_batch
from safeconvert.errors import UnusableInput
from safeconvert.inputs.interface import Array
from safeconvert.inputs.labels import LABELS, read_labels
from safeconvert.inputs.preprocessing import Preprocessing

# What numpy and zipfile raise for damaged files; TypeError is an `.npy` that calls itself `.npz`.
DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    AttributeError,
    TypeError,
    SyntaxError,
    RuntimeError,
    MemoryError,
    OverflowError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)


@dataclass(frozen=True)
class ArrayInputs:
    """Arrays by input name, samples along axis 0; an `.npy` is mapped, not read."""

    path: Path
    arrays: Mapping[str, Array]
    specs: tuple[TensorSpec, ...]
    count: int
    kinds: tuple[str, ...] = ("array",)
    preprocessing: Preprocessing | None = None
    labels: tuple[int | None, ...] | None = field(default=None)
    whole: bool = False
    nonfinite: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The model's inputs."""
        return tuple(spec.name for spec in self.specs)

    @property
    def origin(self) -> str:
        """The file."""
        return self.path.name

    def digest(self, at: Path | None = None) -> str:
        """SHA-256 of the file, or of another."""
        with (at or self.path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def chunk(self, start: int, stop: int) -> dict[str, Array]:
        """Samples start..stop, in the dtype that the model takes. What was read of a mapped file before leaves the memory.

        Raises:
            UnusableInput: NaN or Inf, unless they are allowed, or lossy casts.
        """
        for array in self.arrays.values():
            _unmap(array)
        return {
            spec.name: cast_array(self.path, self.arrays[spec.name][start:stop], spec, self.nonfinite)
            for spec in self.specs
        }


def _unmap(array: Array) -> None:
    """Give the memory back that a mapped file takes; what is read again is mapped again."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap):
        base.madvise(mmap.MADV_DONTNEED)


def open_arrays(path: Path, signature: Signature, limit: int | None, nonfinite: bool = False) -> ArrayInputs:
    """Open and check; see `open_inputs`."""
    if path.suffix not in (".npy", ".npz"):
        raise UnusableInput(f"--inputs {path}: neither a folder of images nor .npy nor .npz")
    try:
        if path.suffix == ".npy":
            loaded = np.load(path, mmap_mode="r", allow_pickle=False)
            if not isinstance(loaded, np.ndarray):
                raise UnusableInput(f"--inputs {path}: not a single array")
            found = {"": loaded}
        else:
            with np.load(path, allow_pickle=False) as archive:
                found = {name: _array(path, name, archive[name]) for name in archive.files}
    except DAMAGE as error:
        raise UnusableInput(f"--inputs {path}: damaged, or not numbers alone: {error}") from error
    assigned = assign(path, found, signature)
    calls = _whole_calls(assigned, signature)
    arrays = {
        spec.name: array if calls is not None else _fitted(path, array, spec)
        for spec, array in zip(signature.inputs, calls or assigned, strict=True)
    }
    counts = {len(array) for array in arrays.values()}
    if len(counts) != 1:
        raise UnusableInput(f"--inputs {path}: its arrays hold different numbers of samples: {sorted(counts)}")
    count = counts.pop()
    if count == 0:
        raise UnusableInput(f"--inputs {path}: holds no samples")
    taken = count if limit is None else min(count, limit)
    return ArrayInputs(
        path, arrays, signature.inputs, taken, labels=_labels(path, taken), whole=calls is not None, nonfinite=nonfinite
    )


def _labels(path: Path, count: int) -> tuple[int | None, ...] | None:
    """The labels of the rows, where a `labels.csv` beside the array has any; one of another kind that lies there is not meant."""
    if not (path.parent / LABELS).is_file():
        return None
    try:
        found = read_labels(path.parent, [str(row) for row in range(count)])
    except UnusableInput:
        return None
    return found if found is not None and any(label is not None for label in found) else None


def _array(path: Path, name: str, value: object) -> Array:
    """A member of an archive; numpy gives the bytes of one that is no array. Raises UnusableInput."""
    if not isinstance(value, np.ndarray):
        raise UnusableInput(f"--inputs {path}: {name} is no array", "write the file with numpy.savez")
    return value


def _whole_calls(arrays: list[Array], signature: Signature) -> list[Array] | None:
    """The arrays as whole calls along axis 0, or None where they are rows of a batch.

    They are whole calls where each has one axis more than its input and fits it behind that, and one whole call where the
    model has no batch and they are exactly what it takes.
    """

    def fit(shapes: list[tuple[int, ...]]) -> bool:
        return all(
            len(shape) == len(spec.shape)
            and all(own in (None, size) for own, size in zip(spec.shape, shape, strict=True))
            for spec, shape in zip(signature.inputs, shapes, strict=True)
        )

    if all(array.ndim for array in arrays) and fit([array.shape[1:] for array in arrays]):
        return arrays
    if not has_batch(signature) and fit([array.shape for array in arrays]):
        return [array[None] for array in arrays]
    return None


def assign(path: Path, found: dict[str, Array], signature: Signature) -> list[Array]:
    """The array of each input: by name where any name matches, else in order."""
    names = [spec.name for spec in signature.inputs]
    if len(found) != len(names):
        missing = [name for name in names if name not in found]
        raise UnusableInput(
            f"--inputs {path}: holds {len(found)} arrays, and the model takes {len(names)} inputs",
            f"missing: {', '.join(missing) or 'none'}; save them with numpy.savez(file, {names[0]}=…)",
        )
    matching = set(found) & set(names)
    if not matching:
        return list(found.values())
    if matching != set(names):
        raise UnusableInput(
            f"--inputs {path}: no array is named {', '.join(sorted(set(names) - matching))}",
            f"it holds {', '.join(sorted(found))}; name all as the model's inputs, or none",
        )
    return [found[name] for name in names]


def _fitted(path: Path, array: Array, spec: TensorSpec) -> Array:
    """The array with a batch axis, its shape checked."""
    if array.ndim == len(spec.shape) - 1 and array.ndim > 0:
        array = array[None]
    wanted = ",".join("?" if size is None else str(size) for size in spec.shape)
    fits = array.ndim == len(spec.shape) and all(
        own is None or own == other for own, other in zip(spec.shape[1:], array.shape[1:], strict=False)
    )
    if fits and array.ndim > 0:
        return array
    advice = "save the samples along axis 0"
    if array.ndim == len(spec.shape) and sorted(array.shape[1:]) == sorted(size or 0 for size in spec.shape[1:]):
        advice = "the channels are in another place: transpose the array (it is never done silently)"
    raise UnusableInput(
        f"--inputs {path}: input {spec.name} takes ({wanted}), and the array is {list(array.shape)}", advice
    )


def cast_array(path: Path, array: Array, spec: TensorSpec, nonfinite: bool) -> Array:
    """Samples in the dtype that an input takes. Raises UnusableInput for NaN and Inf, unless allowed, and for values that do not fit."""
    wanted = spec.numbers
    if wanted is None:
        raise UnusableInput(
            f"--inputs {path}: input {spec.name} takes {spec.dtype}, and inputs are numbers that numpy knows"
        )
    if array.dtype.kind not in "biuf":
        raise UnusableInput(f"--inputs {path}: input {spec.name} is {array.dtype}, not numbers")
    finite = np.isfinite(array) if array.dtype.kind == "f" else np.ones(array.shape, dtype=bool)
    if not nonfinite and not finite.all():
        raise UnusableInput(
            f"--inputs {path}: input {spec.name} holds NaN or Inf",
            "leave those samples out, or test how they propagate with --allow-nonfinite",
        )
    with np.errstate(over="ignore", invalid="ignore"):
        cast = np.ascontiguousarray(array, dtype=wanted)
    if wanted.kind in "biu" and not np.array_equal(cast, array):
        raise UnusableInput(f"--inputs {path}: input {spec.name} takes {wanted}, and {array.dtype} values do not fit")
    if wanted.kind == "f" and not np.isfinite(cast[finite]).all():
        raise UnusableInput(f"--inputs {path}: input {spec.name} holds values too large for {wanted}")
    return cast
