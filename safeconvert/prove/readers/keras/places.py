"""Keras' operations that move, cut, join, pad and draw out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.keras.layer import Tensor
from safeconvert.prove.readers.keras.operation import WHOLE, Operation
from safeconvert.prove.readers.writer import FAR


def taken(o: Operation) -> Tensor:
    """Take along an axis, by numbers that are constant or computed; of a tensor or of a table."""
    axis, given = o.config.get("axis"), o.arguments[1] if len(o.arguments) > 1 else o.config.get("indices")
    table = o.arguments[0]
    x = o.moving if isinstance(table, Tensor) else o.operand(0)
    if axis is None:
        raise Refused("Take: of all numbers")
    if isinstance(given, Tensor):
        if given.kind not in WHOLE:
            raise Refused("Take: by other than integers")
        return Tensor(o.write("Gather", x.name, given.name, axis=int(axis)), x.rank + given.rank - 1, x.kind)
    places = np.asarray(given)
    if places.dtype.kind != "i" or places.ndim > 1:
        raise Refused("Take: by other than integers in a row")
    at = o.write.constant(places.astype(np.int64))
    return Tensor(o.write("Gather", x.name, at, axis=int(axis)), x.rank + places.ndim - 1, x.kind)


def taken_along(o: Operation) -> Tensor:
    """TakeAlongAxis, element by element."""
    axis, at = o.config.get("axis"), o.arguments[1] if len(o.arguments) == 2 else None
    if axis is None or not isinstance(at, Tensor) or at.kind not in WHOLE or at.rank != o.moving.rank:
        raise Refused("TakeAlongAxis: of all numbers, or by numbers of other axes")
    return Tensor(o.write("GatherElements", o.moving.name, at.name, axis=int(axis)), at.rank, o.moving.kind)


def tiled(o: Operation) -> Tensor:
    """Tile, along axes that are new in front, too."""
    repeats = o.config["repeats"]
    if not isinstance(repeats, list) or not all(type(one) is int for one in repeats):
        raise Refused(f"Tile: by {repeats}")
    new = len(repeats) - o.moving.rank
    name = o.write("Unsqueeze", o.moving.name, o.write.integers(*range(new))) if new > 0 else o.moving.name
    counts = [1] * -new + repeats
    return Tensor(o.write("Tile", name, o.write.integers(*counts)), len(counts), o.moving.kind)


def spread(o: Operation) -> Tensor:
    """BroadcastTo a shape of constant sizes."""
    shape = o.config["shape"]
    if not all(type(size) is int and size > 0 for size in shape):
        raise Refused(f"BroadcastTo: to {shape}")
    return Tensor(o.write("Expand", o.moving.name, o.write.integers(*shape)), len(shape), o.moving.kind)


def flipped(o: Operation) -> Tensor:
    """Flip of some axes, or of all."""
    given = o.config.get("axis")
    axes = list(range(o.moving.rank)) if given is None else [given] if isinstance(given, int) else list(given)
    return Tensor(o.write.turned(o.moving.name, axes), o.moving.rank, o.moving.kind)


def reshaped(o: Operation) -> Tensor:
    """Sizes of which at most one, None or -1, is what is left."""
    sizes = [-1 if size is None else size for size in o.config["newshape"]]
    if not all(type(size) is int for size in sizes) or sizes.count(-1) > 1:
        raise Refused(f"Reshape: to {o.config['newshape']}")
    return Tensor(o.write("Reshape", o.moving.name, o.write.integers(*sizes), allowzero=1), len(sizes), o.moving.kind)


def transposed(o: Operation) -> Tensor:
    """Transpose; without an order, all axes the other way around."""
    rank = o.moving.rank
    order = o.config.get("axes") or list(range(rank))[::-1]
    return Tensor(o.write("Transpose", o.moving.name, perm=[int(axis) % rank for axis in order]), rank, o.moving.kind)


def squeezed(o: Operation) -> Tensor:
    """Squeeze of named axes."""
    given = o.config.get("axis")
    if given is None:
        raise Refused("Squeeze: of all axes of length 1")
    axes = [given] if isinstance(given, int) else list(given)
    return Tensor(o.write("Squeeze", o.moving.name, o.write.integers(*axes)), o.moving.rank - len(axes), o.moving.kind)


def widened(o: Operation) -> Tensor:
    """ExpandDims."""
    given = o.config["axis"]
    axes = [given] if isinstance(given, int) else list(given)
    made = o.write("Unsqueeze", o.moving.name, o.write.integers(*axes))
    return Tensor(made, o.moving.rank + len(axes), o.moving.kind)


def joined(o: Operation) -> Tensor:
    """Concatenate."""
    parts = o.tensors()
    names = (one.name for one in parts)
    return Tensor(o.write("Concat", *names, axis=int(o.config["axis"])), parts[0].rank, parts[0].kind)


def stacked(o: Operation) -> Tensor:
    """Stack along a new axis."""
    parts, axis = o.tensors(), int(o.config["axis"])
    at = o.write.integers(axis)
    made = o.write("Concat", *(o.write("Unsqueeze", one.name, at) for one in parts), axis=axis)
    return Tensor(made, parts[0].rank + 1, parts[0].kind)


def padded(o: Operation) -> Tensor:
    """Pad with a number, or by reflection."""
    pairs = [[one, one] if isinstance(one, int) else one for one in o.config["pad_width"]]
    mode, fill = o.config.get("mode", "constant"), [one for one in o.arguments[1:] if one is not None]
    if (
        mode not in ("constant", "reflect")
        or len(pairs) != o.x.rank
        or any(not isinstance(one, int | float) for one in fill)
    ):
        raise Refused(f"Pad: {mode} by {o.config['pad_width']}")
    amounts = o.write.integers(*(front for front, _ in pairs), *(back for _, back in pairs))
    number = [o.write.number(float(one)) for one in fill]
    return Tensor(o.write("Pad", o.x.name, amounts, *number, mode=mode), o.x.rank)


def part(o: Operation) -> Tensor:
    """GetItem by numbers and slices, axis after axis."""
    given = o.arguments[1]
    keys = given if isinstance(given, list) else [given]
    if any(key is Ellipsis for key in keys):
        place = keys.index(Ellipsis)
        keys = [*keys[:place], *[slice(None)] * (o.moving.rank - len(keys) + 1), *keys[place + 1 :]]
    starts, ends, steps, gone = [], [], [], []
    for axis, key in enumerate(keys):
        if type(key) is int:
            gone.append(axis)
            key = slice(key, key + 1 if key != -1 else None)
        if not isinstance(key, slice) or not all(
            end is None or type(end) is int for end in (key.start, key.stop, key.step)
        ):
            raise Refused(f"GetItem: by {str(key)[:40]}")
        step = 1 if key.step is None else key.step
        starts.append((0 if step > 0 else FAR) if key.start is None else key.start)
        ends.append((FAR if step > 0 else -FAR) if key.stop is None else key.stop)
        steps.append(step)
    lists = (o.write.integers(*numbers) for numbers in (starts, ends, range(len(keys)), steps))
    name = o.write("Slice", o.moving.name, *lists)
    made = o.write("Squeeze", name, o.write.integers(*gone)) if gone else name
    return Tensor(made, o.moving.rank - len(gone), o.moving.kind)


def split(o: Operation) -> list[Tensor]:
    """Split in equal parts, or at places along an axis."""
    given, axis = o.config["indices_or_sections"], int(o.config.get("axis", 0))
    if type(given) is int:
        names = o.write.several("Split", [o.moving.name], given, axis=axis, num_outputs=given)
        return [Tensor(name, o.moving.rank, o.moving.kind) for name in names]
    ends = [0, *given, FAR]
    if not all(type(end) is int for end in ends) or sorted(ends) != ends:
        raise Refused(f"Split: at {given}")
    made = []
    for bounds in pairwise(ends):
        lists = (o.write.integers(one) for one in (*bounds, axis))
        made.append(Tensor(o.write("Slice", o.moving.name, *lists), o.moving.rank, o.moving.kind))
    return made
