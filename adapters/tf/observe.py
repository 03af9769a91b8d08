"""The inner tensors of a TensorFlow function: its graph, variables as constants and calls written out, with more fetched from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from safeconvert.adapter_api.intermediates import Intermediate
from safeconvert.errors import UnusableInput

from .._shared.tf_files import TfFile

_MOST = 4096  # tensors of one call
_SILENT = {"Const", "NoOp", "Placeholder", "Identity", "ReadVariableOp", "Assert"}


def observe(file: TfFile, feeds: Mapping[str, Any]) -> list[Intermediate]:
    """What each operation gives, in the order of the graph.

    Raises:
        UnusableInput: the function's variables cannot be made constants.
    """
    graph, taken, prune = _graph(file)
    operations = [one for one in graph.get_operations() if one.type not in _SILENT]
    tensors = [
        tensor for one in operations for tensor in one.outputs if tensor.dtype.is_floating or tensor.dtype.is_integer
    ][:_MOST]
    run = prune(feeds=list(taken.values()), fetches=tensors)
    values = run(*(tf.constant(feeds[name]) for name in taken))
    origins: dict[str, tuple[str, ...]] = {tensor.name: (name,) for name, tensor in taken.items()}
    given = {tensor.name: value for tensor, value in zip(tensors, values, strict=True)}
    found = []
    for one in graph.get_operations():
        reads = tuple(dict.fromkeys(name for tensor in one.inputs for name in origins.get(tensor.name, ())))
        for tensor in one.outputs:
            name = tensor.name
            if name in given:
                value = given[name].numpy()
                value = value.astype("float32") if tensor.dtype == tf.bfloat16 else value
                layer = one.name.removeprefix("StatefulPartitionedCall/")  # what a signature wraps around its function
                found.append(Intermediate(layer, one.type, name, reads, value))
            origins[name] = (name,) if name in given else origins.get(name, reads)
    return found


def _graph(file: TfFile) -> tuple[Any, dict[str, Any], Any]:
    """The graph, its inputs by name, and what makes a function of a part of it."""
    if not file.signature_key:
        graph = file.owner.graph
        taken = {
            name: graph.get_tensor_by_name(own) for name, own in zip(file.inputs, file.tensor_names[0], strict=True)
        }
        return graph, taken, file.owner.prune
    try:
        frozen = convert_variables_to_constants_v2(file.function)
    except (ValueError, RuntimeError, KeyError, tf.errors.OpError) as error:
        raise UnusableInput(f"its graph cannot be observed: {' '.join(str(error).split())[:240]}") from error
    ordered = sorted(file.inputs)  # as TensorFlow flattens keyword arguments
    return frozen.graph, dict(zip(ordered, frozen.inputs, strict=True)), frozen.prune
