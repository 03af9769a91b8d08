"""Inspect TensorFlow files with TensorFlow's own protobuf classes, before anything of them is imported or run."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError
from tensorflow.core.framework import variable_pb2
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow.python.framework import op_def_registry
from tensorflow.python.saved_model import loader_impl

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.errors import UnusableInput

from .untrusted.tensorflow_graph import Savers, ancestors, check_graph, plain

_ADVICE = "export the model without it (for inference only), or pass --trust-pickle if you trust whoever made the file"


def inspect_saved_model(request: ModelRequest) -> None:
    """Check every graph of a SavedModel folder, its assets' places and its links.

    Raises:
        UnusableInput: an operator that is not on the list, named with its node and function; a part outside the folder.
    """
    if request.trust_pickle:
        return
    folder = Path(request.path)
    _require_inside(folder)
    _require_one(folder)
    try:
        saved = loader_impl.parse_saved_model(request.path)
    except (OSError, DecodeError) as error:
        raise UnusableInput(f"{request.path}: TensorFlow cannot load this SavedModel: {_line(error)}") from error
    for meta in saved.meta_graphs:
        _check(request, meta.graph_def, Savers(meta, _first_values(meta)))
        for name in _assets(meta):
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise UnusableInput(f"{request.path}: its asset {name} lies outside the folder; refused", _ADVICE)


def inspect_graph(request: ModelRequest, graph_def: Any) -> None:
    """Check a frozen graph. Raises UnusableInput as for a SavedModel."""
    if not request.trust_pickle:
        _check(request, graph_def, None)


def inspect_checkpoint(request: ModelRequest, whole: bool = False) -> Any:
    """The MetaGraphDef of a checkpoint, checked, and cut to what its outputs and its saver need.

    Args:
        request: names the outputs.
        whole: check and keep all of it, where somebody else is going to import the file itself.

    Raises:
        UnusableInput: damaged, or as for a SavedModel.
    """
    meta = meta_graph_pb2.MetaGraphDef()
    try:
        meta.ParseFromString(Path(request.path).read_bytes())
    except DecodeError as error:
        raise UnusableInput(f"{request.path}: not a whole MetaGraphDef: {_line(error)}") from error
    outputs = [plain(name) for name in request.part.outputs]
    if whole:
        if not request.trust_pickle:
            _check(request, meta.graph_def, Savers(meta, [*outputs, *_first_values(meta)]))
        return meta
    needed = ancestors(
        meta.graph_def.node, [*outputs, meta.saver_def.restore_op_name, meta.saver_def.filename_tensor_name]
    )
    # convert_variables_to_constants fetches each variable by the node that reads it first
    readers = {
        f"{node.name}/Read/ReadVariableOp"
        for node in meta.graph_def.node
        if node.op == "VarHandleOp" and node.name in needed
    }
    kept = [node for node in meta.graph_def.node if node.name in needed or node.name in readers]
    del meta.graph_def.node[:]
    meta.graph_def.node.extend(kept)
    meta.collection_def.clear()
    meta.signature_def.clear()
    if not request.trust_pickle:
        _check(request, meta.graph_def, Savers(meta, outputs))
    return meta


def _check(request: ModelRequest, graph_def: Any, savers: Savers | None) -> None:
    try:
        check_graph(graph_def, lambda name: op_def_registry.get(name) is not None, savers)
    except ValueError as error:
        raise UnusableInput(f"{request.path}: {error}; refused", _ADVICE) from error


def _require_inside(folder: Path) -> None:
    """Links of a folder lead to itself: what they lead to would be read as the model's own."""
    root = folder.resolve()
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent) / name
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                raise UnusableInput(
                    f"{path}: a link that leaves the SavedModel's folder; refused",
                    "copy the folder with the files themselves (cp -rL)",
                )


def _require_one(folder: Path) -> None:
    """One file holds the graph: TensorFlow's reader in Python, which this uses, passes over a graph in chunks, and others may take it."""
    if (folder / "saved_model.cpb").exists():
        raise UnusableInput(
            f"{folder}: holds saved_model.cpb beside saved_model.pb: two graphs, of which readers take one or the other; refused",
            "remove saved_model.cpb, or pass --trust-pickle if you trust whoever made the folder",
        )


def _assets(meta: Any) -> Iterator[str]:
    for asset in meta.asset_file_def:
        yield asset.filename
    for value in (
        meta.collection_def["saved_model_assets"].any_list.value if "saved_model_assets" in meta.collection_def else ()
    ):
        asset = meta_graph_pb2.AssetFileDef()
        if value.Unpack(asset):
            yield asset.filename


def _first_values(meta: Any) -> Iterable[str]:
    """The nodes that give variables their first values."""
    for collection in meta.collection_def.values():
        for value in collection.bytes_list.value:
            variable = variable_pb2.VariableDef()
            try:
                variable.ParseFromString(value)
            except DecodeError:
                continue  # some other message: a queue's, a loop's
            yield from (variable.initializer_name, variable.initial_value_name)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:240]
