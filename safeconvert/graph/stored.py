"""Weights of large models stay in their file: a graph whose large initializers say where their numbers lie, mapped when they are used.

Read whole, a model of gigabytes is in memory once for each process that looks at its graph, and again for each copy of that graph, and none
beyond 2 GiB can be serialized. Here such an initializer holds a path, an offset and a length, as external data of ONNX do; that may be the
.onnx file itself, where its weights lie inside. `array_of` maps it, and `sessions.open_session` lets ONNX Runtime map it: processes that look
at one file share one copy, which is the system's file cache.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, external_data_helper

from safeconvert.core.tensors import array_of, is_reference, place_of, size_of
from safeconvert.graph.wire import Refused, without_raw_data

LARGE = 1 << 28
"""Bytes of a model, with the files beside it, from which on its weights stay where they are."""
_SMALL = 1 << 16
"""Bytes of a tensor below which it is read all the same."""


def open_graph(path: str | Path, large: int = LARGE) -> onnx.ModelProto:
    """An ONNX model, its large initializers by reference where the model is large; read whole where it is not.

    Args:
        path: of the file, whose external data lie in its folder.
        large: bytes from which on a model is large.

    Raises:
        Exception: as `onnx.load`, for what is no whole ONNX model.
    """
    model = large_graph(path, large)
    return onnx.load(path) if model is None else model


def large_graph(path: str | Path, large: int = LARGE) -> onnx.ModelProto | None:
    """As `open_graph`; None for a model that is not large, or whose weights are not written so that they can be mapped."""
    path = Path(path).resolve()
    inside = path.stat().st_size >= large
    lean = _lean(path) if inside else onnx.load(path, load_external_data=False)
    if lean is None:
        return None
    external = [tensor for tensor in external_tensors(lean) if not place_of(tensor)[0].is_absolute()]
    if not inside and sum(place_of(tensor)[2] for tensor in external) < large:
        return None
    stored = {id(tensor) for tensor in lean.graph.initializer}
    for tensor in external:
        name, offset, length = place_of(tensor)
        file = (path.parent / name).resolve()
        if id(tensor) in stored and _mappable(tensor) and file.is_relative_to(path.parent):
            _refer(tensor, file, offset, length)
        else:
            external_data_helper.load_external_data_for_tensor(tensor, str(path.parent))
            tensor.ClearField("data_location")
    return lean


def light_graph(path: str | Path, large: int = LARGE) -> onnx.ModelProto:
    """A model for whoever looks at its nodes: as its file has it, external data not read, and of a large file no larger initializer's numbers.

    Args:
        path, large: as `open_graph`.

    Raises:
        Exception: as `onnx.load`.
    """
    found = _without_weights(Path(path)) if Path(path).stat().st_size >= large else None
    return onnx.load(path, load_external_data=False) if found is None else found[0]


def external_tensors(message: Any) -> Iterator[TensorProto]:
    """Every tensor below a protobuf message whose data lie in a file: initializers, attributes, sparse values, functions, subgraphs."""
    if isinstance(message, TensorProto):
        if message.external_data or message.data_location == TensorProto.EXTERNAL:
            yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            for one in [value] if hasattr(value, "ListFields") else value:
                yield from external_tensors(one)


def by_content(model: onnx.ModelProto) -> bytes:
    """A serialized model, in which the SHA-256 of its numbers stands for each reference."""
    copy = model
    if any(map(is_reference, model.graph.initializer)):
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
    for tensor in copy.graph.initializer:
        if is_reference(tensor):
            tensor.raw_data = hashlib.sha256(array_of(tensor).reshape(-1).view(np.uint8).data).digest()
            tensor.ClearField("external_data")
            tensor.ClearField("data_location")
    return bytes(copy.SerializeToString(deterministic=True))


def in_folder(model: onnx.ModelProto) -> tuple[onnx.ModelProto, str]:
    """A model whose references are relative to a folder, as ONNX Runtime takes them, and that folder; itself and "" where it has none."""
    found = [tensor for tensor in model.graph.initializer if is_reference(tensor)]
    if not found:
        return model, ""
    folder = os.path.commonpath([place_of(tensor)[0].parent for tensor in found])
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    for tensor in copy.graph.initializer:
        if is_reference(tensor):
            path, offset, length = place_of(tensor)
            _refer(tensor, path.relative_to(folder), offset, length)
    return copy, folder


def _lean(path: Path) -> onnx.ModelProto | None:
    """A model without its initializers' raw data, which are references to the file itself; None where they lie otherwise."""
    found = _without_weights(path)
    if found is None:
        return None
    model, places = found
    for index, (offset, length) in places.items():
        tensor = model.graph.initializer[index]
        if is_reference(tensor) or tensor.external_data:
            return None
        _refer(tensor, path, offset, length)
        if not _mappable(tensor):
            return None
    return model


def _without_weights(path: Path) -> tuple[onnx.ModelProto, dict[int, tuple[int, int]]] | None:
    """A model without the raw data of larger initializers, and where in the file they lie by number of the initializer."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        try:
            light, places = without_raw_data(data, _SMALL)
        except Refused:
            return None
    return onnx.ModelProto.FromString(light), places


def _mappable(tensor: TensorProto) -> bool:
    """Whether the numbers are not few, and as many as the tensor says."""
    return _SMALL <= place_of(tensor)[2] == size_of(tensor)


def _refer(tensor: TensorProto, path: Path, offset: int, length: int) -> None:
    tensor.ClearField("external_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", path.as_posix()), ("offset", str(offset)), ("length", str(length))):
        tensor.external_data.add(key=key, value=value)
