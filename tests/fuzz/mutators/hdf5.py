"""HDF5 files: attributes, arrays, groups and links, and the bytes between them."""

from __future__ import annotations

import io
from collections.abc import Callable
from random import Random
from typing import Any

import h5py
import numpy as np

from . import json_text
from .plain import Mutator, flipped, text


def mutator(words: tuple[str, ...] = ()) -> Mutator:
    """Mutates an item of a file; attributes that hold JSON as such. What is no HDF5 file is flipped.

    Args:
        words: names that mean something in the format.
    """

    def run(data: bytes, random: Random) -> bytes:
        if random.random() < 0.35:
            return _near_the_start(data, random)
        buffer = io.BytesIO(data)
        try:
            with h5py.File(buffer, "r+") as file:
                items: list[Any] = [file]
                file.visititems(lambda name, item: items.append(item))
                _mutate(file, items, random, words)
        except Exception:  # noqa: BLE001 - an earlier mutation made a file that its own library dies of
            return flipped(data, random)
        return buffer.getvalue()

    return run


def _near_the_start(data: bytes, random: Random) -> bytes:
    """A byte of what is more likely structure than numbers."""
    places = [place for place in range(0, len(data) - 8, 8) if data[place : place + 4] in (b"TREE", b"SNOD", b"HEAP", b"OHDR", b"FRHP", b"GCOL")]  # fmt: skip
    start = random.choice([0, *places])
    end = min(start + 256, len(data))
    return data[:start] + flipped(data[start:end], random) + data[end:]


def _mutate(file: Any, items: list[Any], random: Random, words: tuple[str, ...]) -> None:
    item = random.choice(items)
    with_attributes = [one for one in items if len(one.attrs)]
    if with_attributes and random.random() < 0.55:
        _attribute(random.choice(with_attributes), random, words)
    elif isinstance(item, h5py.Dataset):
        random.choice(_ARRAYS)(file, item, random)
    else:
        random.choice(_GROUPS)(file, item, random)


def _attribute(item: Any, random: Random, words: tuple[str, ...]) -> None:
    """Left out, of another type, or with other JSON or text in it."""
    name = random.choice(list(item.attrs))
    value = item.attrs[name]
    match random.randrange(8):
        case 0:
            del item.attrs[name]
        case 1:
            item.attrs[name] = random.choice(
                (0, 1.5, np.zeros(3), np.zeros((2, 2), "S4"), b"\xff\xfe", h5py.Empty("f4"))
            )
        case 2:
            item.attrs[name] = text(random, words).replace("\0", "")
        case 3 if isinstance(value, np.ndarray) and value.size:
            item.attrs[name] = random.choice((value[:0], value[::-1], np.repeat(value, 3), value[:1]))
        case _ if isinstance(value, str | bytes):
            raw = value.encode() if isinstance(value, str) else value
            item.attrs[name] = json_text.mutator(words)(raw, random).decode("utf-8", "replace").replace("\0", "")
        case _:
            item.attrs[name] = np.asarray([text(random, words).replace("\0", "").encode()])


def _replaced(file: Any, item: Any, made: Callable[[Any, str], object]) -> None:
    parent, name = item.parent, item.name.rsplit("/", 1)[-1]
    del parent[name]
    made(parent, name)


def _another_array(file: Any, item: Any, random: Random) -> None:
    """Of another shape or type, or with numbers that are none."""
    value = item[()]
    others = (
        np.zeros((0, 3), "f4"), np.float32(1), value.astype("f8"), np.asarray([b"text"]), value.reshape(-1), value.T,
        np.full(value.shape, np.nan, "f4"), np.zeros((*value.shape, 2), "f4"), value.astype("i1"), value[..., None],
    )  # fmt: skip
    made = random.choice(others)
    _replaced(file, item, lambda parent, name: parent.create_dataset(name, data=made))


def _large_array(file: Any, item: Any, random: Random) -> None:
    """Of which nothing is stored."""
    size = random.choice((1 << 20, 1 << 33, 1 << 45))
    _replaced(file, item, lambda parent, name: parent.create_dataset(name, (size, 64), "f4", chunks=(1024, 64)))


def _elsewhere(file: Any, item: Any, random: Random) -> None:
    """In another file."""
    place = text(random).replace("\0", "")[:200] or "outside"
    _replaced(file, item, lambda parent, name: parent.create_dataset(name, (2,), "f4", external=[(place, 0, 8)]))


def _gone(file: Any, item: Any, random: Random) -> None:
    if item.name != "/":
        del file[item.name]


def _a_group_instead(file: Any, item: Any, random: Random) -> None:
    _replaced(file, item, lambda parent, name: parent.create_group(name))


def _linked(file: Any, item: Any, random: Random) -> None:
    """A link to itself, to what holds it, or to another file."""
    group = item if isinstance(item, h5py.Group) else item.parent
    name = f"link{random.randrange(100)}"
    target = random.choice(
        (h5py.SoftLink(f"{group.name}/{name}"), group, file["/"], h5py.ExternalLink("outside.h5", "/"))
    )
    group[name] = target


def _renamed(file: Any, item: Any, random: Random) -> None:
    if item.name != "/":
        file.move(item.name, f"{item.parent.name}/{text(random).replace(chr(0), '')[:200] or 'x'}")


def _deep(file: Any, item: Any, random: Random) -> None:
    file.create_group(f"{item.name}{'/g' * 400}")


_ARRAYS = (_another_array, _another_array, _large_array, _elsewhere, _gone, _a_group_instead, _linked)
_GROUPS = (_gone, _linked, _renamed, _deep)
