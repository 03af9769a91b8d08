"""A part of an ONNX file as a file of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.errors import UnusableInput
from safeconvert.graph.cut import behind_strings, cut_graph
from safeconvert.graph.stored import light_graph

from .external import require_own_data

_LARGEST = 2_000_000_000  # bytes of a protobuf message


def cut(request: Mapping[str, Any], begin: list[str], end: list[str], target: str) -> dict[str, Any]:
    """Write the part between two ends; what is not in it.

    Raises:
        UnusableInput: as `cut_graph`; data that lie outside the model's folder, or a part that is too large for one file.
    """
    path = ModelRequest.from_json(request).path
    require_own_data(Path(path), light_graph(path))
    part, remainder = cut_graph(onnx.load(path), begin, end)
    if sum(len(tensor.raw_data) for tensor in part.graph.initializer) > _LARGEST:
        raise UnusableInput(f"{path}: the part is larger than 2 GB", "cut out less of it")
    Path(target).write_bytes(part.SerializeToString())
    return remainder.to_json()


def require_numbers(session: Any, path: str) -> None:
    """Raise UnusableInput where an input takes strings; the message names the nodes that read them, and where to cut."""
    texts = [value.name for value in session.get_inputs() if value.type == "tensor(string)"]
    if not texts:
        return
    readers, begin = behind_strings(light_graph(path))
    flags = " ".join(f"--from {name}" for name in begin) or "--from NODE, the first node that reads numbers"
    raise UnusableInput(
        f"{path}: input {texts[0]} takes strings, which {', '.join(readers) or 'no node'} reads: no converter has them",
        f"that is host code; convert the part behind it, fed with what it gives: {flags}",
    )
