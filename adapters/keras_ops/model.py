"""A functional Keras model that computes an ONNX graph with keras.ops and Keras' own layers only."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import keras
import onnx

from safeconvert.adapter_api.protocol import channels_last, channels_second

from .._operators.read import constants, inputs
from .._operators.sizes import Dim, is_sizes
from .._operators.walk import walk
from .._shared.keras_named import keep_free
from .backend import KerasOps
from .names import input_name, output_name


def build(
    model: onnx.ModelProto,
    shapes: Mapping[str, tuple[int | None, ...]] | None = None,
    moved: Collection[str] = (),
    told: dict[str, str] | None = None,
) -> Any:
    """The graph as a Keras model; inputs and outputs in ONNX' order, with ONNX' order of dimensions but where it is said.

    Args:
        model: without functions of its own.
        shapes: sizes of inputs, by name, that the graph leaves free.
        moved: inputs and outputs, by name, whose second dimension goes last.
        told: takes what parameters that are inputs were settled by, see `_operators.given`.

    Raises:
        NotImplementedError: an operator cannot be expressed; the message names it and its node.
    """
    ours, called = _names(model)
    made: dict[str, tuple[Any, list[Any]]] = {}
    fed: list[Any] = []
    for name, dtype, declared in inputs(model):
        given = (shapes or {}).get(name, ())
        sizes = [
            size if isinstance(size, int) else (given[axis : axis + 1] or (None,))[0] or _free(size, axis)
            for axis, size in enumerate(declared)
        ]
        batch_shape = [None if isinstance(size, Dim) else size for size in sizes]
        if name in moved:
            batch_shape = [batch_shape[axis] for axis in channels_last(len(sizes))]
        taken_in = keras.Input(batch_shape=batch_shape, dtype=dtype, name=ours[name])
        fed.append(taken_in)
        read = keras.ops.transpose(taken_in, channels_second(len(sizes))) if name in moved else taken_in
        made[name] = (read, sizes)
    if not made:
        raise NotImplementedError("a graph without inputs cannot be a Keras model")
    backend = KerasOps(made)
    outputs = walk(model, backend, {name: tensor for name, (tensor, _) in made.items()}, constants(model), told)
    if any(isinstance(output, list) for output in outputs):
        raise NotImplementedError("an output that is a sequence")
    by_name = dict(zip(ours, fed, strict=True))
    named = [
        by_name[value.name] if value.name in by_name else _named(backend, output, name, value.name in moved)
        for output, value, name in zip(outputs, model.graph.output, called, strict=True)
    ]
    return keras.Model(fed, named)


def _names(model: onnx.ModelProto) -> tuple[dict[str, str], list[str]]:
    """Keras' names: of inputs by theirs, and of the outputs in order. An output that is an input is called like it."""
    taken: set[str] = set()
    ours = {name: input_name(name, taken) for name, _, _ in inputs(model)}
    called = [ours.get(value.name) or output_name(value.name, taken) for value in model.graph.output]
    keep_free(taken)
    return ours, called


def _free(symbol: str, axis: int) -> Dim:
    """The first dimension is the batch, whatever an exporter calls it."""
    return Dim(("batch",)) if axis == 0 else Dim((symbol,))


def _named(backend: KerasOps, output: Any, name: str, moved: bool) -> Any:
    tensor = backend.sizes_tensor(output) if is_sizes(output) else backend.tensor(output)
    if moved:
        tensor = keras.ops.transpose(tensor, channels_last(len(tensor.shape)))
    kind = backend.dtype(tensor)
    return keras.layers.Identity(name=name, dtype=kind if "float" in kind else None)(tensor)
