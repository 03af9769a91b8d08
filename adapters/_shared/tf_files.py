"""Open a TensorFlow SavedModel, frozen graph or checkpoint as one concrete function."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.adapter_api.shapes import natural_order
from safeconvert.core.formats import detect
from safeconvert.errors import UnusableInput

from .tf_inspect import inspect_checkpoint, inspect_graph, inspect_saved_model
from .tf_served import served_otherwise


@dataclass(frozen=True)
class TfFile:
    """An opened TensorFlow model.

    Attributes:
        function: callable concrete function; takes keyword tensors, returns a dict of tensors.
        inputs: TensorSpec by argument name, in order.
        outputs: tensor (with shape and dtype) by name, in order.
        owner: keeps the variables alive.
        signature_key: the SavedModel signature, or "" for a graph.
        tensor_names: names of the input and output tensors in the graph (not of a SavedModel).
        graph_def: the graph with its weights as constants (not of a SavedModel).
    """

    function: Any
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    owner: Any
    signature_key: str
    tensor_names: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    graph_def: Any = None


def open_tf(request: ModelRequest) -> TfFile:
    """Load a SavedModel folder, a frozen `.pb` or a checkpoint's `.meta`, or the part of it that is asked for.

    Raises:
        UnusableInput: damaged; no such part, or no signature to call, or one that is two functions; holds operators that run Python or
            touch files.
    """
    variant = detect(request.path).variant
    if variant == "saved_model":
        return _open_saved_model(request)
    return _open_graph(request, _checkpoint_graph(request) if variant == "checkpoint" else _frozen_graph(request))


def _open_saved_model(request: ModelRequest) -> TfFile:
    part = request.part
    inspect_saved_model(request)
    try:
        owner = tf.saved_model.load(request.path, tags=list(part.tags) or None)
    except (OSError, RuntimeError, DecodeError, ValueError, KeyError, tf.errors.OpError, AttributeError) as error:
        raise UnusableInput(f"{request.path}: TensorFlow cannot load this SavedModel: {_line(error)}") from error
    signatures = owner.signatures
    key = part.signature or ("serving_default" if "serving_default" in signatures else next(iter(signatures), ""))
    if part.signature and part.signature not in signatures:
        raise UnusableInput(f"{request.path}: has no signature {key}", f"its signatures are {', '.join(signatures)}")
    if not key:
        raise UnusableInput(
            f"{request.path}: a SavedModel without a signature cannot be called",
            "export it with signatures=… (Keras: model.export)",
        )
    try:
        function = signatures[key]
        given = function.structured_input_signature[1]  # of a map, whose order is another in every run
        inputs = dict(sorted(given.items(), key=lambda item: natural_order(item[0])))
        outputs = dict(sorted(function.structured_outputs.items(), key=lambda item: natural_order(item[0])))
    except (AttributeError, TypeError, IndexError, KeyError, ValueError) as error:
        raise UnusableInput(
            f"{request.path}: a damaged SavedModel: its signature {key} is no function", "export the model again"
        ) from error
    other = served_otherwise(request.path, key)
    if other:
        raise UnusableInput(
            f"{request.path}: its signature {key} is one function for TensorFlow's loader and another for a server: {other}",
            "save the model again with tf.saved_model.save",
        )
    wanted = [_plain(name) for name in part.outputs]
    if set(wanted) - set(outputs) or (part.inputs and {_plain(name) for name in part.inputs} != set(inputs)):
        raise UnusableInput(
            f"{request.path}: signature {key} cannot be cut at {', '.join((*part.inputs, *part.outputs))}",
            f"name all of its inputs ({', '.join(inputs)}) and some of its outputs ({', '.join(outputs)})",
        )
    return TfFile(function, inputs, {name: outputs[name] for name in wanted or outputs}, owner, key)


def _frozen_graph(request: ModelRequest) -> Any:
    graph_def = tf.compat.v1.GraphDef()
    try:
        with open(request.path, "rb") as file:
            graph_def.ParseFromString(file.read())
    except DecodeError as error:
        raise UnusableInput(f"{request.path}: not a whole GraphDef: {_line(error)}") from error
    if {node.op for node in graph_def.node} & {"VariableV2", "VarHandleOp", "Variable"}:
        raise UnusableInput(f"{request.path}: has variables: not frozen", "freeze it, or give the SavedModel folder")
    inspect_graph(request, graph_def)
    return graph_def


def _checkpoint_graph(request: ModelRequest) -> Any:
    """The graph of `<prefix>.meta` with the weights of `<prefix>.index` and its data as constants, up to its outputs."""
    if not request.part.outputs:
        raise UnusableInput(f"{request.path}: a checkpoint does not say its outputs", "name inputs and outputs")
    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        try:
            saver = tf.compat.v1.train.import_meta_graph(inspect_checkpoint(request), clear_devices=True)
            saver.restore(session, request.path.removesuffix(".meta"))
            nodes = [_plain(name) for name in request.part.outputs]
            return tf.compat.v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), nodes)
        except (OSError, DecodeError, ValueError, KeyError, AssertionError, AttributeError, tf.errors.OpError) as error:
            raise UnusableInput(f"{request.path}: TensorFlow cannot restore this checkpoint: {_line(error)}") from error


def _open_graph(request: ModelRequest, graph_def: Any) -> TfFile:
    used = {name.split(":")[0].lstrip("^") for node in graph_def.node for name in node.input}
    inputs = [f"{node.name}:0" for node in graph_def.node if node.op == "Placeholder"]
    ignored = {"Const", "NoOp", "Placeholder", "Assert"}
    outputs = [f"{node.name}:0" for node in graph_def.node if node.name not in used and node.op not in ignored]
    inputs = _tensors(request, graph_def, request.part.inputs) or inputs
    outputs = _tensors(request, graph_def, request.part.outputs) or outputs
    if not inputs or not outputs:
        raise UnusableInput(f"{request.path}: a graph with {len(inputs)} placeholders and {len(outputs)} outputs")
    try:
        wrapped = tf.compat.v1.wrap_function(lambda: tf.compat.v1.import_graph_def(graph_def, name=""), [])
        pruned = wrapped.prune(
            feeds=[wrapped.graph.get_tensor_by_name(name) for name in inputs],
            fetches={_plain(name): wrapped.graph.get_tensor_by_name(name) for name in outputs},
        )
    except (ValueError, KeyError, tf.errors.OpError) as error:
        raise UnusableInput(f"{request.path}: TensorFlow cannot import this graph: {_line(error)}") from error
    specs = {_plain(name): tf.TensorSpec.from_tensor(wrapped.graph.get_tensor_by_name(name)) for name in inputs}
    fetched = {_plain(name): wrapped.graph.get_tensor_by_name(name) for name in outputs}

    def call(**feeds: Any) -> Any:
        return pruned(*[feeds[name] for name in specs])

    return TfFile(call, specs, fetched, wrapped, "", (tuple(inputs), tuple(outputs)), graph_def)


def _tensors(request: ModelRequest, graph_def: Any, names: tuple[str, ...]) -> list[str]:
    """Tensor names with their number. Raises UnusableInput for one that is not in the graph."""
    nodes = [node.name for node in graph_def.node]
    for name in names:
        if name.split(":")[0] not in nodes:
            near = difflib.get_close_matches(name.split(":")[0], nodes, n=1)
            raise UnusableInput(f"{request.path}: no tensor {name}", f"did you mean {near[0]}:0?" if near else "")
    return [name if ":" in name else f"{name}:0" for name in names]


def _plain(name: str) -> str:
    return name.removesuffix(":0")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:240]
