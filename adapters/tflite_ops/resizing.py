"""Images made larger and smaller."""

from __future__ import annotations

import numpy as np

from .file import Array
from .graph import Operator

_BITS = 11  # of XNNPACK's weights along each axis


def bilinear(o: Operator) -> None:
    """RESIZE_BILINEAR: weights of 11 bits along each axis, rounded half up once."""
    if not o.quantized or (o.tensor(0).scale, o.tensor(0).zero) != (o.output.scale, o.output.zero):
        raise o.refuse("is in float32, or changes the scale")
    down, along = (_weights(o, axis) for axis in (0, 1))
    wide = o.write("MatMul", o.second(), o.write.constant(along.T.astype(np.float32)))
    high = o.write("MatMul", o.write.constant(down.astype(np.float64)), o.write("Cast", wide, to=11))
    scaled = o.write("Mul", high, o.write.constant(np.asarray(2.0 ** (-2 * _BITS), np.float64)))
    raised = o.write("Add", scaled, o.write.constant(np.asarray(0.5, np.float64)))
    o.give(second=o.write("Cast", o.write("Floor", raised), to=1))


def nearest(o: Operator) -> None:
    """RESIZE_NEAREST_NEIGHBOR."""
    name = o.last()
    for axis in (0, 1):
        before, after = _sizes(o, axis)
        centre = np.float32(0.5 if o.option("halfPixelCenters") else 0)
        places = (np.arange(after, dtype=np.float32) + centre) * _factor(o, before, after)
        found = np.floor(places + np.float32(0.5)) if o.option("alignCorners") else np.floor(places)
        index = np.clip(found, 0, before - 1).astype(np.int64)
        name = o.write("Gather", name, o.write.constant(index), axis=1 + axis)
    o.give(last=name)


def _weights(o: Operator, axis: int) -> Array:
    """[after, before] in whole numbers, the two neighbours' of each place."""
    before, after = _sizes(o, axis)
    places = np.clip(_places(o, before, after), 0, before - 1).astype(np.float32)
    lower = np.floor(places).astype(np.int64)
    parts = np.rint((places - lower.astype(np.float32)) * np.float32(1 << _BITS)).astype(np.int64)
    found = np.zeros((after, before), np.int64)
    rows = np.arange(after)
    np.add.at(found, (rows, lower), (1 << _BITS) - parts)
    np.add.at(found, (rows, np.minimum(lower + 1, before - 1)), parts)
    return found


def _places(o: Operator, before: int, after: int) -> Array:
    """Where each pixel lies in the image before, in float32."""
    factor = _factor(o, before, after)
    places = np.arange(after, dtype=np.float32) * factor
    if o.option("halfPixelCenters"):
        places = places + (np.float32(0.5) * factor - np.float32(0.5))
    return np.asarray(places, np.float32)


def _factor(o: Operator, before: int, after: int) -> np.float32:
    corners = int(bool(o.option("alignCorners")) and after != 1)
    return np.float32(before - corners) / np.float32(after - corners)


def _sizes(o: Operator, axis: int) -> tuple[int, int]:
    before, after = o.tensor(0).shape[1 + axis], o.output.shape[1 + axis]
    if before is None or after is None:
        raise o.refuse("gives an image of free size")
    return before, after
