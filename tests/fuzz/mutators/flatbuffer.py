"""TFLite files: by their objects, which packs a well-formed file of odd content, and by the tables' own bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from .plain import INTEGERS, flipped, text

_OPERATORS = ("FlexReadFile", "FlexAdd", "WriteFile", "TFLite_Detection_PostProcess", "Mfcc", "NumericVerify", "custom")


def mutate(data: bytes, random: Random) -> bytes:
    """One mutation: of an object, of a table's offsets, or of any byte."""
    kind = random.random()
    try:
        if kind < 0.6:
            return _packed(data, random)
        if kind < 0.9:
            return _tables(data, random)
    except Exception:  # noqa: BLE001 - an earlier mutation made a file that its own reader or writer dies of
        return flipped(data, random)
    return flipped(data, random)


def _packed(data: bytes, random: Random) -> bytes:
    """The file with one attribute of one object changed."""
    model = schema.ModelT.InitFromPackedBuf(data, 0)
    places = list(_attributes(model))
    owner, name = random.choice(places)
    value = getattr(owner, name)
    if isinstance(value, np.ndarray):
        value = value.tolist()
    setattr(owner, name, _other(value, [getattr(one, other) for one, other in places if other == name], random))
    builder = flatbuffers.Builder(1 << 12)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _other(value: Any, alike: Sequence[Any], random: Random) -> Any:
    """Another value in the place of one; `alike` are those of all attributes of its name."""
    if random.random() < 0.2:
        return random.choice(alike)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return random.choice((value + 1, value - 1, *(one for one in INTEGERS if -128 <= one < 1 << 31)))
    if isinstance(value, float):
        return random.choice((0.0, -value, float("nan"), float("inf"), 1e38, 1e-45))
    if isinstance(value, bytes | str):
        return text(random, _OPERATORS).encode("utf-8", "replace")
    if isinstance(value, list) and value:
        changed = [*value]
        place = random.randrange(len(changed))
        match random.randrange(5):
            case 0:
                del changed[place]
            case 1:
                changed.insert(place, changed[place])
            case 2:
                changed = []
            case 3 if len(changed) < 1000:
                changed *= random.choice((2, 40))
            case _:
                changed[place] = _other(changed[place], changed, random)
        return changed
    return random.choice((None, *alike))


def _attributes(root: Any) -> Iterator[tuple[Any, str]]:
    """Every attribute of an object and of those that it holds."""
    waiting = [root]
    while waiting:
        owner = waiting.pop()
        for name, value in vars(owner).items():
            yield owner, name
            held = value if isinstance(value, list) else [value]
            waiting += [one for one in held if hasattr(one, "__dict__")]


def _tables(data: bytes, random: Random) -> bytes:
    """The file with a wrong number in a table: its vtable's place or size, a field's place or value, a vector's length."""
    table = random.choice(list(_each_table(data)))
    changed = bytearray(data)
    position = table.Pos
    vtable = position - struct.unpack_from("<i", data, position)[0]
    fields = (struct.unpack_from("<H", data, vtable)[0] - 4) // 2
    small = random.choice((0, 1, 2, 3, 4, 5, 8, 16, 255, 0x7FFF, 0xFFFF))
    large = random.choice((0, 1, 4, 8, len(data) - 4, len(data), 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF))
    entry = vtable + 4 + 2 * random.randrange(max(fields, 1))
    offset = struct.unpack_from("<H", data, entry)[0]
    match random.randrange(6):
        case 0:
            struct.pack_into("<I", changed, position, large)
        case 1:
            struct.pack_into("<H", changed, vtable + random.choice((0, 2)), small)
        case 2:
            struct.pack_into("<H", changed, entry, small)
        case 3:
            struct.pack_into("<I", changed, 0, large)
        case 4:
            struct.pack_into("<I", changed, position + offset, large)
        case _:
            where = position + offset + struct.unpack_from("<I", data, position + offset)[0]
            struct.pack_into("<I", changed, min(where, len(data) - 4), large)
    return bytes(changed)


def _each_table(data: bytes) -> Iterator[Any]:
    model = schema.Model.GetRootAs(data)
    yield model._tab
    for place in range(model.OperatorCodesLength()):
        yield model.OperatorCodes(place)._tab
    for place in range(model.BuffersLength()):
        yield model.Buffers(place)._tab
    for place in range(model.SignatureDefsLength()):
        yield model.SignatureDefs(place)._tab
    for place in range(model.SubgraphsLength()):
        graph = model.Subgraphs(place)
        yield graph._tab
        for number in range(graph.TensorsLength()):
            yield graph.Tensors(number)._tab
            if graph.Tensors(number).Quantization() is not None:
                yield graph.Tensors(number).Quantization()._tab
        for number in range(graph.OperatorsLength()):
            yield graph.Operators(number)._tab
