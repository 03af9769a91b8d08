"""A part of a functional Keras model as a file of its own, and the layers that no converter has."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import keras

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.cut import Remainder
from safeconvert.errors import UnusableInput

from .._shared.keras_files import as_functional, open_keras

_HOST = tuple(
    getattr(keras.layers, name)
    for name in ("TextVectorization", "StringLookup", "IntegerLookup", "HashedCrossing", "Hashing")
)
"""Layers that read strings or look values up in a table."""


def cut(request: Mapping[str, Any], begin: list[str], end: list[str], target: str) -> dict[str, Any]:
    """Write the layers between two ends as a functional model; what is not in it.

    Raises:
        UnusableInput: a model without a graph of layers, no such layer, one that is called several times or lies in another model, one that
            no output depends on, or a cut that would lose a mask.
    """
    path = ModelRequest.from_json(request).path
    model = as_functional(open_keras(ModelRequest.from_json(request)))
    if not hasattr(model, "_nodes_by_depth"):
        raise UnusableInput(
            f"{path}: a subclassed Keras model has no graph of layers to cut", "save the part as a model of its own"
        )
    entries = _unique(tensor for name in begin for tensor in _ends(model, name, "input"))
    exits = _unique(tensor for name in end for tensor in _ends(model, name, "output")) or list(model.outputs)
    front = _layers(entries, ())
    inside, reached = _walk(exits, entries)
    for tensor in entries:
        if id(tensor) not in reached:
            raise UnusableInput(
                f"{path}: no output of the part depends on {tensor.name}", "name a layer in front of the outputs"
            )
        _require_no_mask(path, tensor, begin)
    kept = [tensor for tensor in model.inputs if id(tensor) in reached and id(tensor) not in set(map(id, entries))]
    sources = [*entries, *kept]
    named = [_new_input(tensor, model) for tensor in sources]
    part = keras.Function(sources, exits)
    outputs = part._run_through_graph(named, operation_fn=lambda operation: operation)
    keras.Model(named, outputs, name=f"{model.name}_part").save(target)
    left = [
        layer for layer in model.layers if id(layer) not in inside and not isinstance(layer, keras.layers.InputLayer)
    ]
    before = tuple(_told(layer) for layer in left if id(layer) in front)
    behind = tuple(_told(layer) for layer in left if id(layer) not in front)
    return Remainder(before, behind, tuple(tensor.name for tensor in named[: len(entries)])).to_json()


def host_layers(model: Any) -> tuple[list[str], list[str]]:
    """The layers of a functional model that read strings or look values up, each with its kind, and the layers to begin with behind them.

    A layer to begin with reads nothing from what is left out but the results of such a layer.
    """
    readers = [layer for layer in model._flatten_layers() if isinstance(layer, _HOST)]
    model = as_functional(model)
    if not readers or not hasattr(model, "_nodes_by_depth"):
        return [_told(layer) for layer in readers], []
    given = {id(layer): [t for node in _calls(model, layer) for t in node.input_tensors] for layer in model.layers}
    host = {id(layer) for layer in readers}
    host |= {one for layer in readers for one in _layers(given.get(id(layer), ()), ())}
    begin = [
        layer.name
        for layer in model.layers
        if id(layer) not in host and any(id(tensor._keras_history.operation) in host for tensor in given[id(layer)])
    ]
    return [_told(layer) for layer in readers], begin


def _calls(model: Any, layer: Any) -> list[Any]:
    """The places at which a model calls a layer."""
    inside = {id(node) for nodes in model._nodes_by_depth.values() for node in nodes}
    return [node for node in layer._inbound_nodes if id(node) in inside]


def _ends(model: Any, name: str, side: str) -> list[Any]:
    """The tensors that a layer of the model reads or gives."""
    layer = next((layer for layer in model.layers if layer.name == name), None)
    if layer is None:
        inner = next((one for one in model.layers if name in _names_within(one)), None)
        if inner is not None:
            raise UnusableInput(
                f"{name}: this layer lies in the model {inner.name}",
                f"cut at {inner.name}, or save that model by itself",
            )
        near = difflib.get_close_matches(name, [layer.name for layer in model.layers], n=1)
        raise UnusableInput(f"{name}: the model has no layer of this name", f"did you mean {near[0]}?" if near else "")
    nodes = _calls(model, layer)
    if len(nodes) != 1:
        raise UnusableInput(
            f"{name}: this layer is called {len(nodes)} times, so that it is no place to cut", "name a layer beside it"
        )
    tensors = nodes[0].input_tensors if side == "input" and nodes[0].input_tensors else nodes[0].output_tensors
    return list(tensors)


def _names_within(layer: Any) -> set[str]:
    return (
        {one.name for one in layer._flatten_layers(include_self=False)} if hasattr(layer, "_flatten_layers") else set()
    )


def _walk(exits: Sequence[Any], stops: Sequence[Any]) -> tuple[set[int], set[int]]:
    """The layers (by id) between the stops and the exits, and the tensors at which going backwards ended."""
    ends = set(map(id, stops))
    inside: set[int] = set()
    seen: set[int] = set()
    reached: set[int] = set()
    waiting = list(exits)
    while waiting:
        tensor = waiting.pop()
        if id(tensor) in seen:
            continue
        seen.add(id(tensor))
        operation, index, _ = tensor._keras_history
        if id(tensor) in ends or isinstance(operation, keras.layers.InputLayer):
            reached.add(id(tensor))
            continue
        inside.add(id(operation))
        waiting += operation._inbound_nodes[index].input_tensors
    return inside, reached


def _layers(tensors: Sequence[Any], stops: Sequence[Any]) -> set[int]:
    """The layers, by id, that tensors depend on."""
    return _walk(tensors, stops)[0]


def _require_no_mask(path: str, tensor: Any, begin: Sequence[str]) -> None:
    """A mask travels beside its tensor and would be lost: the part would be another function than it is in the model."""
    if getattr(tensor, "_keras_mask", None) is not None:
        layer = tensor._keras_history.operation.name
        raise UnusableInput(
            f"{path}: what {', '.join(begin)} reads carries the mask of {layer}, which a cut would lose",
            f"--from {layer}",
        )


def _new_input(tensor: Any, model: Any) -> Any:
    """An input like a tensor; named as it is where it is an input of the model, after its layer otherwise."""
    layer = tensor._keras_history.operation.name
    taken = {one.name for one in model.layers}
    name = layer if isinstance(tensor._keras_history.operation, keras.layers.InputLayer) else f"{layer}_output"
    while name in taken and name != layer:
        name += "_"
    number = tensor._keras_history.tensor_index
    return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=f"{name}_{number}" if number else name)


def _told(layer: Any) -> str:
    return f"{layer.name} ({type(layer).__name__})"


def _unique(tensors: Iterable[Any]) -> list[Any]:
    found: dict[int, Any] = {}
    for tensor in tensors:
        found.setdefault(id(tensor), tensor)
    return list(found.values())
