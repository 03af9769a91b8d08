"""Samples made of the numbers at which a graph changes its mind, which noise hits by chance alone: what it compares with, its bounds, NaN and infinity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from safeconvert.graph.constants import small_constants

Array = np.ndarray[Any, Any]
_COMPARED = {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Clip", "Min", "Max", "ThresholdedRelu"}
_SMALL = 8  # elements of a constant that is a bound, and not a tensor of its own
_MOST = 12  # numbers that are tried
_LARGEST = 1e12
_BEYOND = 0.1  # by what share of itself a number is passed
_HALF = 0.5


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
    found, asked = set[float](), set[float]()
    for graph in _graphs(model.graph):
        constants = small_constants(graph, _SMALL)
        for node in graph.node:
            if node.op_type == "IsNaN":
                asked.add(np.nan)
            elif node.op_type == "IsInf":
                asked |= {np.inf, -np.inf}
            elif node.op_type in _COMPARED:
                for name in node.input:
                    array = constants.get(name)
                    if array is not None and array.dtype.kind == "f":
                        found |= {float(value) for value in array.ravel()}
    asked |= {value for value in found if np.isinf(value)}
    kept = sorted((value for value in found if 0 < abs(value) < _LARGEST), key=abs)
    return Thresholds(tuple(sorted(kept[-_MOST:])), tuple(sorted(asked, key=str)))


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
