"""Open a TensorFlow SavedModel or frozen graph as one concrete function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError

from safeconvert.adapting import ModelRequest, natural_order
from safeconvert.errors import UnusableInput
from safeconvert.formats import detect

_CODE_OPERATORS = {"PyFunc", "PyFuncStateless", "EagerPyFunc", "ReadFile", "WriteFile", "MatchingFiles", "SaveV2"}


@dataclass(frozen=True)
class TfFile:
    """An opened TensorFlow model.

    Attributes:
        function: callable concrete function; takes keyword tensors, returns a dict of tensors.
        inputs: TensorSpec by argument name, in order.
        outputs: tensor (with shape and dtype) by name, in order.
        owner: keeps the variables alive.
        signature_key: the SavedModel signature, or "" for a frozen graph.
        tensor_names: names of the input and output tensors in the graph (frozen graphs).
    """

    function: Any
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    owner: Any
    signature_key: str
    tensor_names: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())


def open_tf(request: ModelRequest) -> TfFile:
    """Load a SavedModel folder or a frozen `.pb`.

    Raises:
        UnusableInput: damaged; no signature to call; holds operators that run Python or touch files.
    """
    if detect(request.path).variant == "saved_model":
        return _open_saved_model(request)
    return _open_frozen(request)


def _open_saved_model(request: ModelRequest) -> TfFile:
    try:
        owner = tf.saved_model.load(request.path)
    except (OSError, DecodeError, ValueError, KeyError, tf.errors.OpError, AttributeError) as error:
        raise UnusableInput(f"{request.path}: TensorFlow cannot load this SavedModel: {_line(error)}") from error
    signatures = owner.signatures
    key = "serving_default" if "serving_default" in signatures else next(iter(signatures), "")
    if not key:
        raise UnusableInput(
            f"{request.path}: a SavedModel without a signature cannot be called",
            "export it with signatures=… (Keras: model.export)",
        )
    function = signatures[key]
    _refuse_code(request, {node.op for node in function.graph.as_graph_def().node})
    inputs = dict(function.structured_input_signature[1].items())
    outputs = function.structured_outputs
    return TfFile(function, inputs, dict(sorted(outputs.items(), key=lambda item: natural_order(item[0]))), owner, key)


def _open_frozen(request: ModelRequest) -> TfFile:
    graph_def = tf.compat.v1.GraphDef()
    try:
        with open(request.path, "rb") as file:
            graph_def.ParseFromString(file.read())
    except DecodeError as error:
        raise UnusableInput(f"{request.path}: not a whole GraphDef: {_line(error)}") from error
    operators = {node.op for node in graph_def.node}
    if operators & {"VariableV2", "VarHandleOp", "Variable"}:
        raise UnusableInput(f"{request.path}: has variables: not frozen", "freeze it, or give the SavedModel folder")
    _refuse_code(request, operators)
    used = {name.split(":")[0].lstrip("^") for node in graph_def.node for name in node.input}
    inputs = [f"{node.name}:0" for node in graph_def.node if node.op == "Placeholder"]
    ignored = {"Const", "NoOp", "Placeholder", "Assert"}
    outputs = [f"{node.name}:0" for node in graph_def.node if node.name not in used and node.op not in ignored]
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

    return TfFile(call, specs, fetched, wrapped, "", (tuple(inputs), tuple(outputs)))


def _refuse_code(request: ModelRequest, operators: set[str]) -> None:
    found = sorted(operators & _CODE_OPERATORS)
    if found and not request.trust_pickle:
        raise UnusableInput(
            f"{request.path}: holds {', '.join(found)}, which run code or touch files; refused",
            "remove them, or pass --trust-pickle if you trust whoever made the file",
        )


def _plain(name: str) -> str:
    return name.removesuffix(":0")


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:240]
