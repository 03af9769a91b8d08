"""Samples made of the numbers at which a graph changes its mind, which noise hits by chance alone: what it compares with, its bounds, NaN and infinity.

Where an input is scaled and shifted before it is compared, the number is that of the input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto

from safeconvert.graph.constants import small_constants
from safeconvert.graph.scaled import Scaled, followed

Array = np.ndarray[Any, Any]
_COMPARED = {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Clip", "Min", "Max"}
_BOUNDS = {
    "ThresholdedRelu": ("alpha",),
    "Shrink": ("lambd",),
    "Clip": ("min", "max"),
    "LSTM": ("clip",),
    "GRU": ("clip",),
    "RNN": ("clip",),
}
"""Attributes that are bounds; of what lies as far on the other side, too, where they bound a size."""
_OF_SIZES = {"Shrink", "LSTM", "GRU", "RNN"}
_HOLDS = {
    TensorProto.INT8: "int8",
    TensorProto.UINT8: "uint8",
    TensorProto.INT16: "int16",
    TensorProto.UINT16: "uint16",
}
"""Integers that a target may count in where the source has more bits."""
_HOLDS_WHOLE = {TensorProto.INT32: "int32", TensorProto.UINT32: "uint32"}
"""The same, of whole numbers alone: real ones beyond 32 bits are cast by each runtime in its own way."""
_REAL = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE, TensorProto.BFLOAT16}
_KINKED = {"Relu", "LeakyRelu", "PRelu", "Abs", "Sign"}
_ROUNDED = (-1.5, -0.5, 0.5, 1.5)
"""Where rounding to even and rounding up part."""
_SMALL = 512  # elements of a constant that holds bounds
_MOST = 12  # numbers that are tried
_FAR_OFF = 1e3  # from zero, where nothing but an offset leads
_OFFSET = "offset"
"""Stands for the operator where a number that lies so far off is taken off, whatever comes then."""
_LARGEST = 1e12
_BEYOND = 0.1  # by what share of itself a number is passed
_HALF = 0.5
_DIGITS = 5

Turn = tuple[str, float]
"""An operator, and the number of the input at which it changes its mind."""


@dataclass(frozen=True)
class Thresholds:
    """What a graph compares real numbers with.

    Attributes:
        numbers: ascending; those of tensors that only steer a choice of constants among them.
        nonfinite: NaN and infinities, as far as it asks for them.
    """

    numbers: tuple[float, ...]
    nonfinite: tuple[float, ...]


def thresholds(model: onnx.ModelProto) -> Thresholds:
    """The constants of comparisons and bounds, those within branches and loops among them."""
    turns = _turns(model, _few)
    found = {number for _, number in turns}
    asked = {np.nan} if any(operator == "IsNaN" for operator, _ in turns) else set[float]()
    asked |= {value for value in found if np.isinf(value)}
    return Thresholds(_kept(found), tuple(sorted(asked, key=str)))


def other_turns(source: onnx.ModelProto, target: onnx.ModelProto) -> tuple[float, ...]:
    """Numbers at which only one of two graphs changes its mind, or by another operator, and such as both take off that lie far from zero; at most a
    dozen, ascending. Of the numbers of one constant all are looked at: of many bounds one alone may be another."""
    ours, theirs = ({_said(turn): turn[1] for turn in _turns(model, np.unique)} for model in (source, target))
    one = ours.keys() ^ theirs.keys()
    return _kept({number for said, number in (ours | theirs).items() if said in one or said[0] == _OFFSET})


def at_thresholds(given: Thresholds, base: Sequence[Sequence[Array]], seed: int) -> list[list[Array]]:
    """Samples at, below and above each number, in all places and in half of them, and with NaN or infinity in a few.

    Args:
        given: of the graph.
        base: samples, input by input; real inputs are changed, all others kept.
        seed: of what is drawn.
    """
    random = np.random.default_rng(np.random.SeedSequence([seed, 17]))
    made = []
    for number in given.numbers:
        for value in (number, number - _BEYOND * abs(number), number + _BEYOND * abs(number)):
            made += [_with(random, base, value, share) for share in (1.0, _HALF)]
    for value in given.nonfinite:
        made += [_with(random, base, value, share) for share in (_HALF, _BEYOND)]
    return [sample for sample in made if sample]


def _said(turn: Turn) -> tuple[str, str]:
    return turn[0], f"{turn[1]:.{_DIGITS}g}"


def _kept(found: set[float]) -> tuple[float, ...]:
    """The largest of some numbers, ascending; of zero noise tells, and what is further off than any input keeps numbers finite."""
    kept = sorted((value for value in found if 0 < abs(value) < _LARGEST), key=abs)
    return tuple(sorted(kept[-_MOST:]))


def _turns(model: onnx.ModelProto, chosen: Callable[[Array], Array]) -> set[Turn]:
    """Where a graph changes its mind; `chosen` are those of a constant's numbers that are taken."""
    constants = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in constants]
    known = {value.name: Scaled() for value in inputs}
    real = {value.name for value in inputs if value.type.tensor_type.elem_type in _REAL}
    found = set[Turn]()
    for graph in _graphs(model.graph):
        values = small_constants(graph, _SMALL)
        for node in graph.node:
            read = next((known[name] for name in node.input if name in known), None)
            place = read.place if read is not None else float
            of_real = any(name in real for name in node.input)
            bounds = _of_node(node, values, "f" if read is None else "fi", chosen)
            bounds |= _ends(node, _HOLDS_WHOLE) if read is not None and not of_real else set()
            if _gives_real(node, of_real):
                real.update(node.output)
            if read is not None:
                bounds |= {0.0} if node.op_type in _KINKED else set(_ROUNDED) if node.op_type == "Round" else set()
            found |= {(node.op_type, float(place(value))) for value in bounds}
            made = followed(node, known, values)
            if made is not None:
                known |= dict.fromkeys(node.output, made)
            elif read is not None and abs(read.place(0)) > _FAR_OFF:
                found.add((_OFFSET, read.place(0)))
    return found


def _gives_real(node: onnx.NodeProto, reads: bool) -> bool:
    """Whether a node that reads what is known gives real numbers of it."""
    if node.op_type == "Cast":
        return any(one.name == "to" and one.i in _REAL for one in node.attribute)
    return reads


def _ends(node: onnx.NodeProto, kinds: Mapping[int, str]) -> set[float]:
    """The ends of the integers that a node casts to, where it does to such."""
    to = next((one.i for one in node.attribute if one.name == "to"), 0) if node.op_type == "Cast" else 0
    if to not in kinds:
        return set()
    limits = np.iinfo(kinds[to])
    return {float(limits.min), float(limits.max)}


def _of_node(
    node: onnx.NodeProto, constants: Mapping[str, Array], kinds: str, chosen: Callable[[Array], Array]
) -> set[float]:
    """What a node compares with, or bounds by: its constants of some kinds, attributes, and the ends of the integers that it gives."""
    attributes = {one.name: one for one in node.attribute}
    if node.op_type == "IsNaN":
        return {np.nan}
    if node.op_type == "IsInf":
        return {np.inf, -np.inf}
    found = {attributes[name].f for name in _BOUNDS.get(node.op_type, ()) if name in attributes}
    found |= {-bound for bound in found} if node.op_type in _OF_SIZES else set()
    if node.op_type in _COMPARED:
        for name in node.input:
            array = constants.get(name)
            if array is not None and array.dtype.kind in kinds:
                found |= {float(value) for value in chosen(array)}
    return found | _ends(node, _HOLDS)


def _few(array: Array) -> Array:
    """The numbers of a constant; of many different ones the least and the largest."""
    values: Array = np.unique(array)
    return values if len(values) <= _MOST else values[[0, -1]]


def _with(random: np.random.Generator, base: Sequence[Sequence[Array]], value: float, share: float) -> list[Array]:
    """A sample of `base` with a value in a share of the places of its real inputs; [] where it has none."""
    sample = base[int(random.integers(len(base)))]
    if not any(array.dtype.kind == "f" for array in sample):
        return []
    return [
        np.where(_places(random, array, share), value, array).astype(array.dtype) if array.dtype.kind == "f" else array
        for array in sample
    ]


def _places(random: np.random.Generator, array: Array, share: float) -> Array:
    """Some places of an array, one at least."""
    chosen: Array = np.asarray(random.random(array.shape) < share)
    if array.size:
        chosen.flat[int(random.integers(array.size))] = True
    return chosen


def _graphs(graph: onnx.GraphProto) -> Iterator[onnx.GraphProto]:
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _graphs(attribute.g)
