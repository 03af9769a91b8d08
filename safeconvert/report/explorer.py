"""Errors along the layers as node data for Google's Model Explorer (`ai-edge-model-explorer`).

Node data speaks of graphs by their ids and of nodes by their ids or output tensors (`node_data_builder.py` of that package).
Written are

    FILE                        the isolated errors: where a fault is
    <FILE less .json>.propagated.json   what the target differs by there, with all faults in front
    <FILE less .json>.graphs.json       both graphs as they were compared, which Model Explorer opens as they are

Both node data files speak of the graphs `source` and `target` of the third, and of the model files themselves where Model
Explorer shows these with the same nodes: TFLite (graph `main`, by tensor), and ONNX with the extension `model_explorer_onnx`
(by node). Errors are relative to the source's largest magnitude; an infinite one is written as the largest double.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from safeconvert.certificate.archive import Evidence
from safeconvert.certificate.untrusted_json import mapping, mappings, number, numbers, sequence
from safeconvert.core.formats import detect
from safeconvert.errors import UnusableInput
from safeconvert.report.tflite_names import signature_tensors

_LARGEST = sys.float_info.max
_COLOURS = ((1e-6, "#e6f4ea"), (1e-4, "#fef7e0"), (1e-2, "#fbbc04"), (_LARGEST, "#d93025"))
_METRICS = ("isolated", "propagated")
_TFLITE_GRAPH = "main"
Errors = dict[str, float]
Nodes = Sequence[Mapping[str, Any]]


MARK = b'"safeconvert: '
"""In front of what names each graph's data, and both graphs."""


def beside(path: Path) -> tuple[Path, Path]:
    """The other two files: propagated errors, and the graphs."""
    stem = path.name.removesuffix(".json")
    return path.with_name(f"{stem}.propagated.json"), path.with_name(f"{stem}.graphs.json")


def write(path: Path, evidence: Evidence | None, source: Path | None, target: Path | None) -> list[str]:
    """Write the three files.

    Args:
        path: of the isolated errors.
        evidence: of the run; None where there is none.
        source, target: the model files, where they are at hand.

    Returns:
        Why nothing was written, in a line; empty where it was.

    Raises:
        UnusableInput: a file cannot be written.
    """
    if evidence is None or not list(mappings(evidence.content.get("along"))):
        return [f"{path}: not written: the layers of source and target could not be compared (no ONNX form of both)"]
    isolated, propagated = (node_data(evidence, metric, source, target) for metric in _METRICS)
    contents = (isolated, propagated, graphs(evidence))
    for destination, content in zip((path, *beside(path)), contents, strict=True):
        try:
            destination.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        except OSError as error:
            raise UnusableInput(
                f"{destination}: cannot be written: {error.strerror}", "name another with --model-explorer"
            ) from error
    return []


def node_data(evidence: Evidence, metric: str, source: Path | None, target: Path | None) -> dict[str, Any]:
    """One error of every node that was compared, by graph: a `ModelNodeData`.

    Args:
        evidence: with `along` and `graphs`.
        metric: `isolated` or `propagated`.
        source, target: model files whose own graphs are spoken of too; of two with one id, the target's.
    """
    found: dict[str, Errors] = {}
    for side, path in (("source", source), ("target", target)):
        nodes = list(mappings(mapping(evidence.content.get("graphs")).get(side)))
        errors = _errors(evidence, side, metric)
        if path is not None:
            found |= _native(path, nodes, errors)
        found[side] = errors
    name = f"safeconvert: {metric} error"
    return {graph: _graph_data(name, errors) for graph, errors in found.items() if errors}


def graphs(evidence: Evidence) -> dict[str, Any]:
    """Both graphs: a `GraphCollection`."""
    label = "safeconvert: source and target as ONNX"
    sides = mapping(evidence.content.get("graphs"))
    return {
        "label": label,
        "graphs": [
            {"id": side, "nodes": _nodes(evidence, side, list(mappings(sides.get(side)))), "groupNodeAttributes": {}}
            for side in ("source", "target")
        ],
    }


def _errors(evidence: Evidence, side: str, metric: str) -> Errors:
    """By node name; the larger one where a node makes two tensors."""
    found: Errors = {}
    for layer in mappings(evidence.content.get("along")):
        value = number(layer.get(metric))
        name = layer.get(side)
        if value is not None and isinstance(name, str) and name:
            found[name] = max(found.get(name, 0.0), _finite(value))
    return found


def _finite(value: float) -> float:
    return value if abs(value) <= _LARGEST else _LARGEST  # NaN compares false


def _graph_data(name: str, errors: Errors) -> dict[str, Any]:
    thresholds = [{"value": limit, "bgColor": colour} for limit, colour in _COLOURS]
    results = {node: {"value": value} for node, value in errors.items()}
    return {"name": name, "results": results, "thresholds": thresholds}


def _native(path: Path, nodes: Nodes, errors: Errors) -> dict[str, Errors]:
    """The errors by the ids that Model Explorer gives a model file's own graph; {} for a format that it shows otherwise."""
    try:
        format_name = detect(path).format
        if format_name == "tflite":
            data = path.read_bytes()
            known = _tflite_tensors(data, nodes)
            named = signature_tensors(data)  # the ONNX form has the signature's names
            return {_TFLITE_GRAPH: _renamed(_by_maker(nodes, errors, known.__contains__), named)}
        return _onnx(path, nodes, errors) if format_name == "onnx" else {}
    except (UnusableInput, OSError):
        return {}  # not there any more, or another file by now


def _tflite_tensors(data: bytes, nodes: Nodes) -> set[str]:
    """Which of the graph's tensors the TFLite file names: FlatBuffers holds a string as length, bytes, zero."""
    names = {name for node in nodes for name in sequence(node.get("makes")) if isinstance(name, str)}
    encoded = {name: name.encode() for name in names}
    return {name for name, text in encoded.items() if struct.pack("<I", len(text)) + text + b"\0" in data}


def _renamed(errors: Errors, names: Mapping[str, str]) -> Errors:
    """Errors by other names, the larger one where two become one."""
    found: Errors = {}
    for name, error in errors.items():
        own = names.get(name, name)
        found[own] = max(found.get(own, 0.0), error)
    return found


def _by_maker(nodes: Nodes, errors: Errors, known: Callable[[str], bool]) -> Errors:
    """Errors by the file's tensors. An operator fused into another, or put in by the exporter, counts with the one it follows."""
    found: Errors = {}
    for index, node in enumerate(nodes):
        if node.get("name") not in errors:
            continue
        tensor = _tensor(nodes, index, known)
        if tensor:
            found[tensor] = max(found.get(tensor, 0.0), errors[node["name"]])
    return found


def _tensor(nodes: Nodes, index: int, known: Callable[[str], bool]) -> str:
    """The tensor of the file that a node makes, or else the nearest in front along first inputs; "" where there is none."""
    for _ in range(len(nodes)):
        own = next((name for name in sequence(nodes[index].get("makes")) if isinstance(name, str) and known(name)), "")
        reads = [read for read in numbers(nodes[index].get("reads")) if 0 <= read < index]
        if own or not reads:
            return own
        index = reads[0]
    return ""


def _onnx(path: Path, nodes: Nodes, errors: Errors) -> dict[str, Errors]:
    """By the nodes' names as `model_explorer_onnx` has them: nodes without a name, or of one name, are given others first."""
    import onnx
    import onnx_ir
    from google.protobuf.message import DecodeError
    from onnx_ir.passes.common import NameFixPass

    try:
        model = onnx_ir.serde.deserialize_model(onnx.load(str(path), load_external_data=False))
    except (DecodeError, onnx_ir.serde.SerdeError):
        return {}
    NameFixPass()(model)
    ids = {value.name: node.name for node in model.graph for value in node.outputs}
    graph = model.graph.name or "<main>"
    return {graph: {ids[tensor]: value for tensor, value in _by_maker(nodes, errors, ids.__contains__).items()}}


def _nodes(evidence: Evidence, side: str, nodes: Nodes) -> list[dict[str, Any]]:
    """The nodes of a graph, each `a/b/c` in layers a and b, with its errors and faults to read."""
    layers = {str(layer.get(side)): layer for layer in mappings(evidence.content.get("along"))}
    found = []
    for node in nodes:
        name = str(node.get("name"))
        layer = layers.get(name, {})
        figures = {metric: layer[metric] for metric in _METRICS if layer.get(metric) is not None}
        figures |= {"faults": numbers(layer.get("faults"))} if numbers(layer.get("faults")) else {}
        reads = [read for read in numbers(node.get("reads")) if 0 <= read < len(nodes)]
        made = [str(tensor) for tensor in sequence(node.get("makes"))]
        found.append(
            {
                "id": name,
                "label": str(node.get("operator")),
                "namespace": "/".join(part for part in name.split("/")[:-1] if part),
                "attrs": [{"key": key, "value": str(value)} for key, value in figures.items()],
                "incomingEdges": [
                    {
                        "sourceNodeId": str(nodes[read].get("name")),
                        "sourceNodeOutputId": "0",
                        "targetNodeInputId": str(n),
                    }
                    for n, read in enumerate(reads)
                ],
                "outputsMetadata": [
                    {"id": str(n), "attrs": [{"key": "tensor_name", "value": tensor}]} for n, tensor in enumerate(made)
                ],
            }
        )
    return found
