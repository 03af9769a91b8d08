"""Samples that lie as records in files: members of tar shards, rows of tables. Read in order, never all at once."""

from __future__ import annotations

import hashlib
import io
import math
import os
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol, cast

import numpy as np
from PIL import Image

from safeconvert.core.files import is_folder
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput
from safeconvert.inputs.arrays import assign, cast_array
from safeconvert.inputs.images import ImageForm, image_form, read_image
from safeconvert.inputs.interface import Array
from safeconvert.inputs.preprocessing import Preprocessing

Field = bytes | Array
"""Of one record: an encoded image, or an array."""
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
_LARGEST = 1 << 30  # bytes of one sample's field


class Records(Protocol):
    """Records of files that may be larger than the memory."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that hold them, in order."""
        ...

    @property
    def count(self) -> int:
        """How many there are."""
        ...

    @property
    def labels(self) -> Sequence[int | None] | None:
        """The true label of each; None where none has one."""
        ...

    @property
    def images(self) -> bool:
        """Whether each is an image; else they are arrays."""
        ...

    def read(self, start: int, stop: int) -> list[Mapping[str, Field]]:
        """Records start..stop, each by field. Raises UnusableInput, which names the file and the record."""
        ...


@dataclass(frozen=True)
class RecordInputs:
    """Records as samples of a model.

    Attributes:
        path: the file, or the folder of files.
        records: of the files.
        specs: of the model's inputs.
        form: what images become; None for arrays.
        shapes: by field, the shape of an array; {} for images.
        fields: of arrays, the field of each input.
        count: samples that are used.
        whole: each sample is a whole call.
        nonfinite: arrays may hold NaN and Inf.
    """

    path: Path
    records: Records
    specs: tuple[TensorSpec, ...]
    form: ImageForm | None
    shapes: Mapping[str, tuple[int, ...]]
    fields: tuple[str, ...]
    count: int
    whole: bool = False
    nonfinite: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The model's inputs."""
        return tuple(spec.name for spec in self.specs)

    @property
    def kinds(self) -> tuple[str, ...]:
        """Images or arrays."""
        return ("array",) if self.form is None else ("image",)

    @property
    def preprocessing(self) -> Preprocessing | None:
        """What is done to images."""
        return None if self.form is None else self.form.preprocessing

    @property
    def labels(self) -> tuple[int | None, ...] | None:
        """The labels that the records hold."""
        found = self.records.labels
        return None if found is None else tuple(found[: self.count])

    @property
    def origin(self) -> str:
        """The file or folder, and how many records of how many files."""
        files = len(self.records.files)
        of = f" of {files} files" if is_folder(self.path) else ""
        return f"{self.path.absolute().name} ({self.count} records{of})"

    def digest(self, at: Path | None = None) -> str:
        """SHA-256 of the file; of a folder, over the names and digests of its files."""
        found = self.records.files
        if not is_folder(self.path):
            return str(_sha256(at or self.path).hexdigest())
        total = hashlib.sha256()
        for name in (file.relative_to(self.path) for file in found):
            total.update(os.fsencode(name.as_posix()) + b"\0" + _sha256((at or self.path) / name).digest())
        return total.hexdigest()

    def chunk(self, start: int, stop: int) -> dict[str, Array]:
        """Samples start..stop. Raises UnusableInput for one that is not as the first."""
        found = self.records.read(start, stop)
        if self.form is not None:
            images = (_image(one, self.path / f"record {number}") for number, one in enumerate(found, start=start))
            return {self.form.spec.name: self.form.batch(images)}
        for number, one in enumerate(found, start=start):
            self._require_alike(number, one)
        arrays = {name: np.stack([cast("Array", one[name]) for one in found]) for name in self.fields}
        return {
            spec.name: cast_array(self.path, arrays[name], spec, self.nonfinite)
            for spec, name in zip(self.specs, self.fields, strict=True)
        }

    def _require_alike(self, number: int, record: Mapping[str, Field]) -> None:
        shapes = {name: value.shape for name, value in record.items() if isinstance(value, np.ndarray)}
        if shapes != dict(self.shapes):
            described, first = (
                ", ".join(f"{n or 'array'} {list(s)}" for n, s in one.items()) for one in (shapes, self.shapes)
            )
            raise UnusableInput(
                f"--inputs {self.path}: record {number} holds {described or 'no array'}, and record 0 {first}",
                "give samples of one shape",
            )


def open_records(
    path: Path,
    records: Records,
    signature: Signature,
    preprocessing: Preprocessing | None,
    limit: int | None,
    nonfinite: bool,
) -> RecordInputs:
    """Records as samples, checked against a model's inputs by the first one; see `inputs.open.open_inputs`."""
    if not records.count:
        raise UnusableInput(f"--inputs {path}: holds no samples")
    count = records.count if limit is None else min(limit, records.count)
    first = records.read(0, 1)[0]
    if records.images:
        form = image_form(path, signature, preprocessing, lambda: _image(first, path / "record 0"))
        return RecordInputs(path, records, signature.inputs, form, {}, (), count)
    if preprocessing is not None and preprocessing.name != "raw":
        raise UnusableInput(
            f"--preprocessing {preprocessing.name}: applies to images, and {path} holds arrays",
            "leave it out: arrays are fed as they are",
        )
    arrays = {name: cast("Array", value) for name, value in first.items()}
    numbered = {id(array): name for name, array in arrays.items()}
    fields = tuple(numbered[id(array)] for array in assign(path, arrays, signature))
    fit = partial(_fits, signature.inputs, [arrays[name].shape for name in fields])
    if not fit(1) and not fit(0):
        wanted = ", ".join(f"{spec.name} {list(spec.shape)}" for spec in signature.inputs)
        shapes = ", ".join(f"{name or 'array'} {list(arrays[name].shape)}" for name in fields)
        raise UnusableInput(
            f"--inputs {path}: the model takes {wanted}, and a record holds {shapes}",
            "a record is one sample, without the axis of the batch",
        )
    shapes_of = {name: array.shape for name, array in arrays.items()}
    return RecordInputs(path, records, signature.inputs, None, shapes_of, fields, count, not fit(1), nonfinite)


def _fits(specs: Sequence[TensorSpec], shapes: Sequence[tuple[int, ...]], first: int) -> bool:
    """Whether arrays are what inputs take from axis `first` on."""
    return all(
        len(shape) == len(spec.shape) - first
        and all(own in (None, size) for own, size in zip(spec.shape[first:], shape, strict=True))
        for spec, shape in zip(specs, shapes, strict=True)
    )


def npy_array(content: bytes, what: str) -> Array:
    """The array of an `.npy` in memory. Nothing is unpickled, and nothing larger than the content is allocated.

    Raises:
        UnusableInput: damaged, of objects, or not as long as it says.
    """
    file: IO[bytes] = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        shape, fortran, dtype = _HEADERS[version](file, max_header_size=10000)
    except (ValueError, KeyError, SyntaxError, TypeError, OverflowError, RecursionError, tokenize.TokenError) as error:
        raise UnusableInput(f"{what}: damaged, or not numbers alone: {error}") from error
    rest = len(content) - file.tell()
    if dtype.hasobject or dtype.kind not in "biuf" or any(size < 0 for size in shape):
        raise UnusableInput(f"{what}: holds {dtype}, not numbers", "save arrays of numbers with numpy.save")
    if math.prod(shape) * dtype.itemsize != rest:
        raise UnusableInput(f"{what}: damaged: its header says {list(shape)} of {dtype}, and {rest} bytes follow")
    flat: Array = np.frombuffer(content, dtype, offset=file.tell())
    return flat.reshape(shape, order="F" if fortran else "C")


def require_small(size: int, what: str) -> None:
    """Raise UnusableInput for a field of a sample that is unreasonably large."""
    if not 0 <= size <= _LARGEST:
        raise UnusableInput(f"{what}: unreasonably large: {size} bytes", "one sample may have 1 GiB")


def _image(record: Mapping[str, Field], name: Path) -> Image.Image:
    (content,) = record.values()
    return read_image(lambda mode: io.BytesIO(cast("bytes", content)), name)


def _sha256(path: Path) -> Any:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256")
