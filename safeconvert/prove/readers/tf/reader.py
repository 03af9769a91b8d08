"""A SavedModel's signature as an ONNX graph, with its names, in their order."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx

from safeconvert.adapter_api.shapes import natural_order
from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.tf.checkpoint import KINDS, tensors
from safeconvert.prove.readers.tf.functions import Library, Scope
from safeconvert.prove.readers.tf.loops import Known
from safeconvert.prove.readers.tf.node import Resource, Tensor
from safeconvert.prove.readers.tf.wire import Message
from safeconvert.prove.readers.writer import Input, Writer

_SIGNATURE = "serving_default"


def read_tf(folder: Path) -> onnx.ModelProto:
    """The graph of a folder. Raises Refused, naming what is not known."""
    try:
        return _read(folder)
    except (OSError, ValueError, KeyError, IndexError, TypeError, struct.error, RecursionError) as error:
        raise Refused(f"the folder is damaged, or of another kind ({type(error).__name__}: {error})") from error


def _read(folder: Path) -> onnx.ModelProto:
    [meta] = Message((folder / "saved_model.pb").read_bytes()).messages(2)
    graph = meta.message(2)
    functions = {function.message(1).text(1): function for function in graph.message(2).messages(1)}
    nodes = {node.text(1): node for node in graph.messages(1)}
    held = tensors(folder / "variables") if (folder / "variables" / "variables.index").is_file() else {}
    write, given = Writer(), list[Input]()
    library = Library(write, Known(write, given), functions, held)
    scope = Scope(library, nodes, {name: [Resource(key)] for name, key in _variables(meta, nodes, functions).items()})
    signature = meta.mapped(5)[_SIGNATURE]
    for name, info in sorted(signature.mapped(1).items(), key=lambda one: natural_order(one[0])):
        given.append(_described(name, info))
        scope.known[info.text(1).split(":")[0]] = [Tensor(name)]
    results = []
    for name, info in sorted(signature.mapped(2).items(), key=lambda one: natural_order(one[0])):
        made = scope.value(info.text(1))
        if not isinstance(made, Tensor):
            raise Refused(f"the output {name} is a variable")
        results.append((_described(name, info), made.name))
    return library.write.model(given, results)


def _described(name: str, info: Message) -> Input:
    kind = KINDS.get(info.integer(2))
    if kind is None:
        raise Refused(f"{name} is of TensorFlow's type {info.integer(2)}")
    shape = info.message(3)
    if shape.integer(3):
        raise Refused(f"{name} has no number of axes")
    sizes = tuple(None if dim.integer(1) < 0 else dim.integer(1) for dim in shape.messages(2))
    return Input(name, int(onnx.helper.np_dtype_to_tensor_dtype(np.dtype(kind))), sizes)


def _variables(meta: Message, nodes: Mapping[str, Message], functions: Mapping[str, Message]) -> dict[str, str]:
    """By node of the graph that stands for a variable, its key in the checkpoint: as the function that restores them has it."""
    name = meta.message(3).text(3)
    if not name or nodes[name].text(2) != "StatefulPartitionedCall":
        return {}
    call = nodes[name]
    body = functions[call.mapped(5)["f"].message(10).text(1)]
    own = {node.text(1): node for node in body.messages(3)}
    arguments = [argument.text(1) for argument in body.message(1).messages(2)]
    given = dict(zip(arguments, (one.split(":")[0] for one in call.texts(3) if not one.startswith("^")), strict=True))
    keys: dict[str, list[str]] = {}  # one list names all variables of a file
    found = {}
    for node in own.values():
        if node.text(2) != "AssignVariableOp":
            continue
        variable, value = node.texts(3)[:2]
        while own[value.split(":")[0]].text(2) == "Identity":
            value = own[value.split(":")[0]].texts(3)[0]
        restore, place = own[value.split(":")[0]], int(value.split(":")[-1])
        if restore.text(2) != "RestoreV2":
            raise Refused("a variable that is restored otherwise")
        list_name = restore.texts(3)[1].split(":")[0]
        if list_name not in keys:
            keys[list_name] = own[list_name].mapped(5)["value"].message(8).texts(8)
        found[given[variable]] = keys[list_name][place]
    return found
