"""Is a file a model, by what it holds? `core.formats.detect` tells formats apart; some of their marks other files bear too."""

from __future__ import annotations

import mmap
from pathlib import Path

from safeconvert.core.formats import ModelFile

_KERAS = (b"model_config", b"layer_names", b"keras_version", b"_layer_checkpoint_dependencies")
_MOST = 1 << 16
"""Bytes of a message's first field that are looked at."""


def is_model(found: ModelFile) -> bool:
    """Whether the content is a model's.

    An HDF5 file is one where it holds what Keras writes; a protobuf message that might be a graph is one where its first node
    has a name and an operator. A pickle is always one: it runs code when it is loaded, whatever it is called.
    """
    if found.variant == "h5":
        return _holds(found.path, _KERAS)
    if found.variant == "frozen_graph":
        return _is_graph(_field(_head(found.path), 1))
    if found.variant == "checkpoint":
        return _is_graph(_field(_field(_head(found.path), 2), 1)) or found.path.suffix == ".meta"
    return True


def _holds(path: Path, marks: tuple[bytes, ...]) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return any(data.find(mark) >= 0 for mark in marks)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MOST)


def _is_graph(node: bytes) -> bool:
    """Whether bytes are a NodeDef of TensorFlow: name (1) and operator (2) are text, the operator an identifier."""
    name, operator = (_field(node, number).decode("utf-8", "replace") for number in (1, 2))
    return bool(name) and name.isprintable() and operator.isidentifier()


def _field(message: bytes, wanted: int) -> bytes:
    """The first length-delimited field of a number, as far as the bytes go; b"" where there is none."""
    position = 0
    while position < len(message):
        tag, position = _varint(message, position)
        if tag & 7 == 2:
            length, position = _varint(message, position)
            if tag >> 3 == wanted:
                return message[position : position + length]
            position += length
        elif tag & 7 == 0:
            _, position = _varint(message, position)
        elif tag & 7 in (1, 5):
            position += 8 if tag & 7 == 1 else 4
        else:
            return b""
    return b""


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """A number and where the next one begins; what is cut off counts as its end."""
    value, shift = 0, 0
    while position < len(message):
        byte = message[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if not byte & 0x80:
            break
    return value, position
