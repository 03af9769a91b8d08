"""Columns of Parquet and Arrow files, read some rows at a time; needs `pyarrow` (`pip install safeconvert[data]`).

Damaged tables end the process that reads them (`pyarrow` aborts on some), so that this runs in a worker only.
"""

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

_ROWS = 64  # of a batch that is read from a Parquet file
_BATCH = 1 << 28  # bytes that a batch may become
_GROUP = 1 << 31  # bytes that a row group may become
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
    schemas = [_schema(file) for file in files]
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
    pa = _pyarrow(first)
    label = _LABEL in names and pa.types.is_integer(schema.field(_LABEL).type)
    return Table(tuple(_row_count(file) for file in files), tuple(field.name for field in fields), images, label)


def labels(files: Sequence[Path]) -> Array:
    """The column of labels, int64, `NO_LABEL` where a row has none."""
    found = [np.empty(0, np.int64)]
    for file in files:
        for batch in _batches(file, [_LABEL]):
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
            for batch in _batches(file, table.fields):
                low, high = max(start, at), min(stop, at + batch.num_rows)
                if low < high:
                    yield file, low, batch.slice(low - at, high - low)
                at += batch.num_rows
                if at >= stop:
                    break
        first += count


def _pyarrow(file: Path) -> Any:
    try:
        import pyarrow as pa
    except ImportError as error:
        raise UnusableInput(f"--inputs {file}: reading it needs pyarrow", "pip install 'safeconvert[data]'") from error
    return pa


def _parquet(file: Path) -> Any:
    pa = _pyarrow(file)
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(file, memory_map=False, pre_buffer=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(file, error) from error


def _row_count(file: Path) -> int:
    if file.suffix == ".parquet":
        with _parquet(file) as opened:
            return int(opened.metadata.num_rows)
    return sum(batch.num_rows for batch in _batches(file, []))


def _schema(file: Path) -> Any:
    pa = _pyarrow(file)
    if file.suffix == ".parquet":
        with _parquet(file) as opened:
            try:
                return opened.schema_arrow.remove_metadata()
            except (pa.ArrowException, ValueError) as error:
                raise _damaged(file, error) from error
    try:
        with pa.OSFile(str(file)) as source, pa.ipc.open_file(source) as reader:
            return reader.schema.remove_metadata()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(file, error) from error


def _batches(file: Path, names: Sequence[str]) -> Iterator[Any]:
    """Some columns of a file, a few rows at a time, in its order; each checked before it is looked into."""
    pa = _pyarrow(file)
    try:
        if file.suffix == ".parquet":
            with _parquet(file) as opened:
                rows = _rows_of_a_batch(file, opened.metadata)
                for batch in opened.iter_batches(rows, columns=list(names), use_threads=False):
                    batch.validate(full=True)
                    yield batch
            return
        _require_uncompressed(file)
        with pa.OSFile(str(file)) as source, pa.ipc.open_file(source) as reader:
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                batch.validate(full=True)
                yield batch.select(list(names)) if names else batch
    except (pa.ArrowException, OSError, ValueError, MemoryError) as error:
        raise _damaged(file, error) from error


def _require_uncompressed(file: Path) -> None:
    """Raise UnusableInput for an Arrow file with compressed buffers, which may unpack to any size.

    Looked for in each message's metadata (Arrow columnar format 1.4, Message.fbs: field 3 of a RecordBatch, or of that of a DictionaryBatch).
    """
    pa = _pyarrow(file)
    with pa.OSFile(str(file)) as source:
        source.seek(8)  # the magic, padded
        for message in pa.ipc.MessageReader.open_stream(source):
            batch = _table(message.metadata.to_pybytes(), message.type)
            if batch is not None and batch.Offset(10):
                raise UnusableInput(
                    f"--inputs {file}: its buffers are compressed, and may unpack to any size; refused",
                    "write it uncompressed, or as Parquet",
                )


def _table(metadata: bytes, kind: str) -> Any:
    """The RecordBatch of a message; None for another."""
    import flatbuffers

    if kind not in ("record batch", "dictionary"):
        return None
    start = flatbuffers.encode.Get(flatbuffers.packer.uoffset, metadata, 0)
    message = flatbuffers.table.Table(metadata, start)
    header = flatbuffers.table.Table(metadata, 0)
    message.Union(header, message.Offset(8))
    if kind == "record batch":
        return header
    at = header.Offset(6)
    return flatbuffers.table.Table(metadata, header.Indirect(header.Pos + at)) if at else None


def _rows_of_a_batch(file: Path, metadata: Any) -> int:
    """How many rows can be decoded at once, whatever few bytes they are compressed to.

    Raises:
        UnusableInput: a row group becomes unreasonably large.
    """
    largest = 1
    for group in (metadata.row_group(number) for number in range(metadata.num_row_groups)):
        for column in (group.column(number) for number in range(group.num_columns)):
            if column.physical_type == "BYTE_ARRAY":  # each row may be all that the chunk holds, by a dictionary
                largest = max(largest, column.total_uncompressed_size)
                continue
            values = 8 * column.num_values
            if values > _GROUP:
                raise UnusableInput(
                    f"--inputs {file}: a row group of {column.num_values} numbers; refused", "write smaller row groups"
                )
            largest = max(largest, values // max(1, group.num_rows))
    require_small(largest, f"--inputs {file}: a row")
    return max(1, min(_ROWS, _BATCH // largest))


def _numbers(file: Path, column: Any, first: int) -> Array:
    """A column of numbers, or of lists of them, as an array with the rows along axis 0."""
    pa = _pyarrow(file)
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
    pa = _pyarrow(file)
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


def _damaged(file: Path, error: BaseException) -> UnusableInput:
    kind = "Parquet" if file.suffix == ".parquet" else "Arrow"
    return UnusableInput(
        f"--inputs {file}: no {kind} file, or a damaged one: {' '.join(str(error).split())[:200]}",
        "take it again from where it was made",
    )
