"""Parquet and Arrow files: opened, and read a few rows at a time, whatever they claim to hold; needs `pyarrow` (`pip install safeconvert[data]`).

Damaged tables end the process that reads them (`pyarrow` aborts on some), so that this runs in a worker only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from safeconvert.errors import UnusableInput
from safeconvert.inputs.records import require_small

_ROWS = 64  # of a batch that is read from a Parquet file
_BATCH = 1 << 28  # bytes that a batch may become
_GROUP = 1 << 31  # bytes that a row group may become


def loaded_pyarrow(file: Path) -> Any:
    """`pyarrow`, imported. Raises UnusableInput where it is not installed."""
    try:
        import pyarrow as pa
    except ImportError as error:
        raise UnusableInput(f"--inputs {file}: reading it needs pyarrow", "pip install 'safeconvert[data]'") from error
    return pa


def _parquet(file: Path) -> Any:
    pa = loaded_pyarrow(file)
    from pyarrow import parquet

    try:
        return parquet.ParquetFile(file, memory_map=False, pre_buffer=False)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(file, error) from error


def row_count(file: Path) -> int:
    """How many rows a file says it has. Raises UnusableInput for a damaged one."""
    if file.suffix == ".parquet":
        with _parquet(file) as opened:
            return int(opened.metadata.num_rows)
    return sum(batch.num_rows for batch in batches(file, []))


def schema_of(file: Path) -> Any:
    """Names and types of a file's columns, an Arrow schema. Raises UnusableInput for a damaged file."""
    pa = loaded_pyarrow(file)
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


def batches(file: Path, names: Sequence[str]) -> Iterator[Any]:
    """Some columns of a file, a few rows at a time, in its order; each checked before it is looked into. Raises UnusableInput."""
    pa = loaded_pyarrow(file)
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
    pa = loaded_pyarrow(file)
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


def _damaged(file: Path, error: BaseException) -> UnusableInput:
    kind = "Parquet" if file.suffix == ".parquet" else "Arrow"
    return UnusableInput(
        f"--inputs {file}: no {kind} file, or a damaged one: {' '.join(str(error).split())[:200]}",
        "take it again from where it was made",
    )
