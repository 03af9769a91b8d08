"""Columns of Parquet and Arrow files as samples: which are inputs, images and labels, and what stands in some of their rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.errors import UnusableInput
from safeconvert.inputs.interface import Array
from safeconvert.inputs.records import require_small
from safeconvert.inputs.table_files import batches, loaded_pyarrow, row_count, schema_of

_LABEL = "label"
_MOST = 64  # columns that are named in a message
NO_LABEL = -(1 << 62)
"""Stands for a row without one."""


@dataclass(frozen=True)
class Table:
    """What files say of themselves.

    Attributes:
        rows: of each file.
        fields: by column that is an input, whether it holds images.
        label: whether there is a column of true labels.
    """

    rows: tuple[int, ...]
    fields: tuple[str, ...]
    images: bool
    label: bool


def describe(files: Sequence[Path]) -> Table:
    """The columns of tables that are one set of samples: one of images, or one of numbers for each input.

    Raises:
        UnusableInput: `pyarrow` is not there, a file is damaged, a column is of a type that is no number, or the files' columns differ.
    """
    schemas = [schema_of(file) for file in files]
    first, schema = files[0], schemas[0]
    for file, other in zip(files[1:], schemas[1:], strict=True):
        if not other.equals(schema):
            raise UnusableInput(f"--inputs {file}: its columns are not those of {first.name}")
    names = [field.name for field in schema]
    if len(set(names)) != len(names):
        raise UnusableInput(f"--inputs {first}: two columns of one name")
    fields = [field for field in schema if field.name != _LABEL]
    images = bool(fields) and all(_holds_images(field.type) for field in fields)
    for field in () if images else fields:
        _require_numbers(first, field)
    if not fields or (images and len(fields) > 1):
        raise UnusableInput(
            f"--inputs {first}: has the columns {', '.join(names[:_MOST]) or 'none'}: which is the model's input?",
            "keep one column of images, or a column of numbers for each input",
        )
    pa = loaded_pyarrow(first)
    label = _LABEL in names and pa.types.is_integer(schema.field(_LABEL).type)
    return Table(tuple(row_count(file) for file in files), tuple(field.name for field in fields), images, label)


def labels(files: Sequence[Path]) -> Array:
    """The column of labels, int64, `NO_LABEL` where a row has none."""
    found = [np.empty(0, np.int64)]
    for file in files:
        for batch in batches(file, [_LABEL]):
            values = batch.column(0).to_pylist()
            found.append(np.array([NO_LABEL if one is None else one for one in values], np.int64))
    return np.concatenate(found)


def read_arrays(files: Sequence[Path], table: Table, start: int, stop: int) -> dict[str, Array]:
    """Rows start..stop of columns of numbers, by column, the rows along axis 0. Raises UnusableInput."""
    parts: dict[str, list[Array]] = {name: [] for name in table.fields}
    for file, first, batch in _within(files, table, start, stop):
        for index, name in enumerate(table.fields):
            parts[name].append(_numbers(file, batch.column(index), first))
    try:
        return {name: np.concatenate(found) for name, found in parts.items()}
    except ValueError as error:
        raise UnusableInput(
            f"--inputs {files[0]}: rows {start} to {stop - 1} hold lists of several lengths",
            "give samples of one shape",
        ) from error


def read_images(files: Sequence[Path], table: Table, start: int, stop: int) -> list[bytes]:
    """The encoded images of rows start..stop. Raises UnusableInput."""
    return [
        _encoded(file, value, first + row)
        for file, first, batch in _within(files, table, start, stop)
        for row, value in enumerate(batch.column(0))
    ]


def _within(files: Sequence[Path], table: Table, start: int, stop: int) -> Iterator[tuple[Path, int, Any]]:
    """The batches of rows start..stop: the file, the number of the first row, the rows."""
    first = 0
    for file, count in zip(files, table.rows, strict=True):
        at = first
        if start < first + count and stop > first:
            for batch in batches(file, table.fields):
                low, high = max(start, at), min(stop, at + batch.num_rows)
                if low < high:
                    yield file, low, batch.slice(low - at, high - low)
                at += batch.num_rows
                if at >= stop:
                    break
        first += count


def _numbers(file: Path, column: Any, first: int) -> Array:
    """A column of numbers, or of lists of them, as an array with the rows along axis 0."""
    pa = loaded_pyarrow(file)
    shape: list[int] = [len(column)]
    kept = column
    while not _is_number(pa, column.type):
        if isinstance(column.type, pa.FixedShapeTensorType):
            shape += column.type.shape
            column = column.storage
            column = column.flatten()
            continue
        _require_whole(file, column, first)
        sizes = np.unique(np.asarray(column.value_lengths())) if len(column) else np.zeros(1, int)
        if len(sizes) > 1:
            raise UnusableInput(
                f"--inputs {file}: rows {first} to {first + len(kept) - 1} hold lists of {sizes[0]} to {sizes[-1]} numbers",
                "give samples of one shape",
            )
        shape.append(int(sizes[0]))
        column = column.flatten()
    _require_whole(file, column, first)
    require_small(math.prod(shape[1:]) * 8, f"--inputs {file}: row {first}")
    found: Array = np.asarray(column.to_numpy(zero_copy_only=False)).reshape(shape)
    return found


def _require_whole(file: Path, column: Any, first: int) -> None:
    if column.null_count:
        raise UnusableInput(f"--inputs {file}: one of the rows from {first} on holds no value (null)", "leave it out")


def _encoded(file: Path, value: Any, row: int) -> bytes:
    """The bytes of an image: a binary value, or the field `bytes` of a struct."""
    found = value.as_py()
    found = found.get("bytes") if isinstance(found, Mapping) else found
    if not isinstance(found, bytes):
        raise UnusableInput(f"--inputs {file}: row {row} holds no image", "give its bytes; paths are not followed")
    return found


def _is_number(pa: Any, kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))


def _holds_images(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_struct(kind):
        index = kind.get_field_index("bytes")
        return index >= 0 and _holds_images(kind.field(index).type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def _require_numbers(file: Path, field: Any) -> None:
    """Raise UnusableInput for a column that is neither numbers nor lists of them."""
    pa = loaded_pyarrow(file)
    kind, depth = field.type, 0
    while not _is_number(pa, kind):
        if (
            (isinstance(kind, pa.FixedShapeTensorType) and kind.permutation in (None, list(range(len(kind.shape)))))
            or pa.types.is_list(kind)
            or pa.types.is_large_list(kind)
            or pa.types.is_fixed_size_list(kind)
        ):
            kind = kind.value_type
        else:
            raise UnusableInput(
                f"--inputs {file}: column {field.name} is {field.type}, not numbers",
                "keep columns of numbers, of lists of numbers, or one of the bytes of images",
            )
        depth += 1
        if depth > 8:
            raise UnusableInput(f"--inputs {file}: column {field.name} is nested too deeply")
