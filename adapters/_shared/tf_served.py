"""Whether a SavedModel says the same function twice: to TensorFlow's loader as an object, and to servers as tensors of a graph.

`tf.saved_model.load` runs the function that the object graph names as a signature. TensorFlow Serving, `saved_model_cli` and converters in C++ feed and
fetch the tensors that the signature's definition names. What TensorFlow writes says one function in both; an edited file need not.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tensorflow.core.protobuf import saved_model_pb2

_CALLS = {"PartitionedCall", "StatefulPartitionedCall"}


def served_otherwise(folder: str, key: str) -> str:
    """Where a signature's definition is another function than the one that is loaded, in words; "" where it is none, or that cannot be told."""
    path = Path(folder) / "saved_model.pb"
    if not path.is_file():
        return ""
    graphs = saved_model_pb2.SavedModel.FromString(path.read_bytes()).meta_graphs
    if len(graphs) != 1 or key not in graphs[0].signature_def:
        return ""
    definition, function = graphs[0].signature_def[key], _signature(graphs[0].object_graph_def, key)
    if function is None:
        return ""
    nodes = {node.name: node for node in graphs[0].graph_def.node}
    called = {_node(tensor.name) for tensor in definition.outputs.values()}
    call = nodes.get(next(iter(called), ""))
    if len(called) != 1 or call is None or call.op not in _CALLS:
        return f"its outputs are those of {', '.join(sorted(called)) or 'nothing'}" if called else ""
    if call.attr["f"].func.name != function.concrete_function_name:
        return f"{call.name} calls {call.attr['f'].func.name}"
    for name, given in zip(function.argument_keywords, call.input, strict=False):
        if name not in definition.inputs or _node(definition.inputs[name].name) != _node(given):
            return f"input {name} is another tensor"
    for index, name in enumerate(sorted(definition.outputs)):  # as TensorFlow flattens a dictionary
        if _index(definition.outputs[name].name) != index:
            return f"output {name} is another tensor"
    return ""


def _signature(objects: Any, key: str) -> Any:
    """The function that the object graph names as a signature; None where it names none, as a model of TensorFlow 1 does."""
    number = 0
    for name in ("signatures", key):
        children = objects.nodes[number].children if number < len(objects.nodes) else ()
        found = [child.node_id for child in children if child.local_name == name]
        if not found:
            return None
        number = found[0]
    held = number < len(objects.nodes) and objects.nodes[number].WhichOneof("kind") == "bare_concrete_function"
    return objects.nodes[number].bare_concrete_function if held else None


def _node(tensor: str) -> str:
    return tensor.partition(":")[0].lstrip("^")


def _index(tensor: str) -> int:
    index = tensor.partition(":")[2]
    return int(index) if index.isdigit() else 0
