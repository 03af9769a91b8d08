"""The names and the order of a TFLite file's inputs and outputs.

A file has two orders: that of its signature's names, and that of the graph's lists, which callers of the plain interpreter count.
TensorFlow's converter fills the lists as its graph happens to be sorted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
from tensorflow.lite.python import schema_py_generated as schema

from safeconvert.adapter_api.shapes import natural_order


def in_signature_order(content: bytes, inputs: Sequence[str] = (), outputs: Sequence[str] = ()) -> bytes:
    """The file with the graph's lists in the order given, else in that of the signature's names, `output_0`, `output_1`, ….

    A file without a signature, or with several, stays as it is.

    Args:
        content: of the file.
        inputs: names of the signature's inputs in the order wanted; the order of the names where they are others.
        outputs: the same of its outputs.
    """
    data = bytearray(content)
    model = schema.Model.GetRootAs(data)
    if model.SignatureDefsLength() != 1:
        return content
    signature, graph = model.SignatureDefs(0), model.Subgraphs(model.SignatureDefs(0).SubgraphIndex())
    sides: tuple[tuple[Any, list[Any], list[str]], ...] = (
        (graph.InputsAsNumpy(), [signature.Inputs(n) for n in range(signature.InputsLength())], list(inputs)),
        (graph.OutputsAsNumpy(), [signature.Outputs(n) for n in range(signature.OutputsLength())], list(outputs)),
    )
    for listed, entries, wanted in sides:
        indices = {entry.Name().decode(): entry.TensorIndex() for entry in entries}
        order = wanted if set(wanted) == indices.keys() else sorted(indices, key=natural_order)
        if sorted(indices.values()) == sorted(listed):  # a tensor that is two outputs is left alone
            listed[:] = [indices[name] for name in order]
    return bytes(data)


def named_by_signature(model: onnx.ModelProto, path: str) -> onnx.ModelProto:
    """An ONNX form of a TFLite file with the signature's names and order in place of the graph's tensors and lists.

    The model as it is where the file has no signature, or where its tensors are not the ONNX graph's.
    """
    with open(path, "rb") as file:
        flat = schema.Model.GetRootAs(bytearray(file.read()))
    if flat.SignatureDefsLength() != 1:
        return model
    signature, graph = flat.SignatureDefs(0), flat.Subgraphs(flat.SignatureDefs(0).SubgraphIndex())
    entries = (
        (model.graph.input, [signature.Inputs(n) for n in range(signature.InputsLength())]),
        (model.graph.output, [signature.Outputs(n) for n in range(signature.OutputsLength())]),
    )
    renamed: dict[str, str] = {}
    orders = []
    for values, listed in entries:
        names = {graph.Tensors(entry.TensorIndex()).Name().decode(): entry.Name().decode() for entry in listed}
        if names.keys() != {value.name for value in values} or len(set(names.values())) != len(values):
            return model
        renamed |= names
        orders.append((values, sorted(names.values(), key=natural_order)))
    if len(set(renamed.values())) != len(renamed):
        return model
    _rename(model.graph, renamed)
    for values, order in orders:
        by_name = {value.name: value for value in values}
        kept = [onnx.ValueInfoProto.FromString(by_name[name].SerializeToString()) for name in order]
        del values[:]
        values.extend(kept)
    return model


def _rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    """Rename tensors, in bodies of nodes too; one that has a new name already gets another."""
    taken = {name for node in graph.node for name in (*node.input, *node.output)}
    taken |= {value.name for value in (*graph.initializer, *graph.input, *graph.output)}
    complete = dict(names)
    for name in sorted(set(names.values()) - names.keys()):
        if name in taken:
            complete[name] = next(f"{name}_{n}" for n in range(len(taken) + 1) if f"{name}_{n}" not in taken)

    def renamed_in(part: onnx.GraphProto) -> None:
        for node in part.node:
            node.input[:] = [complete.get(name, name) for name in node.input]
            node.output[:] = [complete.get(name, name) for name in node.output]
            for attribute in node.attribute:
                for body in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                    renamed_in(body)
        for value in (*part.initializer, *part.input, *part.output, *part.value_info):
            value.name = complete.get(value.name, value.name)

    renamed_in(graph)
