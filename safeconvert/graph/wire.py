"""The bytes of an .onnx file as protobuf writes them, taken apart without reading the weights.

Source: Protocol Buffers, "Encoding"; field numbers of onnx.proto3.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import TypeAlias

_MODEL_GRAPH, _GRAPH_INITIALIZER, _TENSOR_RAW_DATA = 7, 5, 9
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDEST = 10  # bytes of a varint
_Data: TypeAlias = mmap.mmap
_Field: TypeAlias = tuple[int, int, int, int]
"""Number of a field, where it begins, where its content begins, where it ends."""


class Refused(ValueError):
    """A file that is not written as is expected here; protobuf may still read it."""


def without_raw_data(data: _Data, least: int) -> tuple[bytes, dict[int, tuple[int, int]]]:
    """A serialized ONNX model without what its larger initializers hold, and where in the file that lies.

    Args:
        data: of the file.
        least: bytes of raw data from which on they are left out.

    Returns:
        The model, and by number of the initializer the offset and length in bytes of its raw data.

    Raises:
        Refused: no ONNX model, or one of which a graph or raw data lie in several parts, which protobuf would join.
    """
    fields = list(_fields(data, 0, len(data)))
    graphs = [field for field in fields if field[0] == _MODEL_GRAPH]
    if len(graphs) != 1:
        raise Refused(f"{len(graphs)} graphs")
    _, begin, start, end = graphs[0]
    graph, places = _light_graph(data, start, end, least)
    return data[:begin] + _delimited(_MODEL_GRAPH, graph) + data[end : len(data)], places


def _light_graph(data: _Data, start: int, end: int, least: int) -> tuple[bytes, dict[int, tuple[int, int]]]:
    kept: list[bytes] = []
    places: dict[int, tuple[int, int]] = {}
    count = 0
    for number, begin, inner, stop in _fields(data, start, end):
        if number != _GRAPH_INITIALIZER:
            kept.append(data[begin:stop])
            continue
        raw = [field for field in _fields(data, inner, stop) if field[0] == _TENSOR_RAW_DATA]
        if len(raw) > 1:
            raise Refused("raw data in several parts")
        if raw and raw[0][3] - raw[0][2] >= least:
            _, where, first, last = raw[0]
            kept.append(_delimited(_GRAPH_INITIALIZER, data[inner:where] + data[last:stop]))
            places[count] = first, last - first
        else:
            kept.append(data[begin:stop])
        count += 1
    return b"".join(kept), places


def _fields(data: _Data, start: int, end: int) -> Iterator[_Field]:
    """The fields of a message between two offsets."""
    position = start
    while position < end:
        begin = position
        key, position = _varint(data, position, end)
        kind = key & 7
        inner = position
        if kind == _VARINT:
            _, position = _varint(data, position, end)
        elif kind == _BYTES:
            length, inner = _varint(data, position, end)
            position = inner + length
        elif kind in (_FIXED32, _FIXED64):
            position += 4 if kind == _FIXED32 else 8
        else:
            raise Refused(f"a field of kind {kind}")
        if position > end:
            raise Refused("a field that ends behind its message")
        yield key >> 3, begin, inner, position


def _varint(data: _Data, position: int, end: int) -> tuple[int, int]:
    value = 0
    for index in range(_WIDEST):
        if position + index >= end:
            break
        byte = data[position + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    raise Refused("a number that does not end")


def _delimited(number: int, content: bytes) -> bytes:
    return _written(number << 3 | _BYTES) + _written(len(content)) + content


def _written(value: int) -> bytes:
    found = bytearray()
    while value >= 0x80:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
