"""An ExportedProgram's graph and weights: JSON and numbers in a zip archive; what is pickled is not read."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.prove.kernel.terms import Array, Refused

_KINDS = {
    1: np.uint8, 2: np.int8, 3: np.int16, 4: np.int32, 5: np.int64, 6: np.float16, 7: np.float32, 8: np.float64, 12: np.bool_, 28: np.uint16,
    29: np.uint32, 30: np.uint64,
}  # fmt: skip
"""Element types by torch's numbers."""
_PLACES = (("data/weights/", "weights"), ("data/constants/", "constants"))


@dataclass(frozen=True)
class Program:
    """What a file holds: the graph and its signature, as torch's schema has them, and weights, buffers and constants by name."""

    graph: Mapping[str, Any]
    signature: Mapping[str, Any]
    weights: Mapping[str, Array]


def opened(content: bytes | Path) -> Program:
    """Open a file, or what one holds. Raises Refused for what is no ExportedProgram of one model, or has weights that are pickled."""
    with zipfile.ZipFile(content if isinstance(content, Path) else io.BytesIO(content)) as held:
        names = held.namelist()
        found = [name for name in names if name.split("/", 1)[-1].startswith("models/") and name.endswith(".json")]
        if len(found) != 1:
            raise Refused("no archive of one ExportedProgram")
        lead, model = found[0].split("models/")
        program = json.loads(held.read(found[0]))
        weights: dict[str, Array] = {}
        for place, word in _PLACES:
            listed = f"{lead}{place}{model.removesuffix('.json')}_{word}_config.json"
            entries = json.loads(held.read(listed))["config"] if listed in names else {}
            weights |= {name: _array(held, f"{lead}{place}", entry) for name, entry in entries.items()}
    module = program["graph_module"]
    return Program(module["graph"], module["signature"], weights)


def kind_of(number: int) -> type[np.generic]:
    """An element type. Raises Refused for one that is not read."""
    if number not in _KINDS:
        raise Refused(f"a tensor of torch's type {number}")
    return _KINDS[number]


def _array(held: zipfile.ZipFile, place: str, entry: Mapping[str, Any]) -> Array:
    meta = entry["tensor_meta"]
    if entry["use_pickle"] or meta is None:
        raise Refused("weights that are pickled")
    flat = np.frombuffer(held.read(place + entry["path_name"]), kind_of(meta["dtype"]))
    sizes, strides = ([int(one["as_int"]) for one in meta[word]] for word in ("sizes", "strides"))
    start = int(meta["storage_offset"]["as_int"])
    return strided(flat, start, sizes, strides)


def strided(flat: Array, start: int, sizes: Sequence[int], strides: Sequence[int]) -> Array:
    """A tensor of a storage's numbers. Raises Refused where it reaches beyond them."""
    last = start + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
    if min((start, *strides, *sizes), default=0) < 0 or (0 not in sizes and last >= flat.size):
        raise Refused("weights that end beyond their numbers")
    steps = [stride * flat.itemsize for stride in strides]
    return np.asarray(np.lib.stride_tricks.as_strided(flat[start:], sizes, steps), order="C")
