"""The tensors that a TFLite file's signature names, read off the flatbuffer (schema v3: fields by number)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from flatbuffers.table import Table

_SUBGRAPHS, _SIGNATURES = 2, 7  # of Model
_TENSORS = 0  # of SubGraph
_TENSOR_NAME = 3  # of Tensor
_INPUTS, _OUTPUTS, _SUBGRAPH = 0, 1, 4  # of SignatureDef
_MAP_NAME, _MAP_INDEX = 0, 1  # of TensorMap


def signature_tensors(data: bytes) -> dict[str, str]:
    """By name in the signature the tensor's own; {} for a file without one signature, and for what is no TFLite file."""
    try:
        model = Table(bytearray(data), struct.unpack_from("<I", data)[0])
        signatures = list(_tables(model, _SIGNATURES))
        if len(signatures) != 1:
            return {}
        graph = list(_tables(model, _SUBGRAPHS))[_number(signatures[0], _SUBGRAPH)]
        names = [_text(tensor, _TENSOR_NAME) for tensor in _tables(graph, _TENSORS)]
        entries = [entry for side in (_INPUTS, _OUTPUTS) for entry in _tables(signatures[0], side)]
        return {_text(entry, _MAP_NAME): names[_number(entry, _MAP_INDEX)] for entry in entries}
    except (struct.error, IndexError, UnicodeDecodeError, ValueError, TypeError):
        return {}


def _field(table: Table, number: int) -> int:
    """Where a field's value lies, from the table's start; 0 where it is left out."""
    return int(table.Offset(4 + 2 * number))


def _tables(table: Table, number: int) -> Iterator[Table]:
    offset = _field(table, number)
    if offset:
        start = table.Vector(offset)
        for index in range(table.VectorLen(offset)):
            yield Table(table.Bytes, table.Indirect(start + 4 * index))


def _text(table: Table, number: int) -> str:
    offset = _field(table, number)
    return bytes(table.String(offset + table.Pos)).decode() if offset else ""


def _number(table: Table, number: int) -> int:
    offset = _field(table, number)
    return int(struct.unpack_from("<I", table.Bytes, offset + table.Pos)[0]) if offset else 0
