"""An ONNX graph compared with what its native model computes itself, layer by layer.

The native model's layers stand as a graph whose nodes cannot be run: their values were observed. Cut points are found
between it and the ONNX graph as between two ONNX graphs, so that the first place where an exporter left its model is named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import helper

from safeconvert.adapter_api.intermediates import NativeTensor
from safeconvert.compare.contract import Contract
from safeconvert.compare.relation import Relation, identity
from safeconvert.graph.view import GraphView
from safeconvert.localize.alignment import Alignment, Region, align
from safeconvert.localize.findings import ExportFault
from safeconvert.localize.matching import Pair, Probes

Array = np.ndarray[Any, Any]
_DOMAIN = "native"
_SHOWN = 4  # layers of one region that are named
_NODES = 8  # nodes of one region that are named: of two layers on end that are wrong both


@dataclass(frozen=True)
class Observed:
    """A native model on a few calls.

    Attributes:
        tensors: its inner tensors, in the order in which they are computed.
        feeds: its inputs, one dict a call.
        outputs: its outputs by name, one array a call.
        contract: of the native model and its ONNX form.
    """

    tensors: tuple[NativeTensor, ...]
    feeds: tuple[Mapping[str, Array], ...]
    outputs: Mapping[str, Probes]
    contract: Contract


def align_native(observed: Observed, target: GraphView, rtol: float) -> Alignment:
    """Cut points between a native model and its ONNX form, and the regions where they differ.

    Args:
        observed: the native model.
        target: its ONNX form, tidied.
        rtol: how far equal tensors may be apart, of a tensor's largest magnitude.
    """
    source, values = native_view(observed)
    inputs = {
        tensor.target.name: Pair(tensor.target.name, tensor.source.name, _relation(tensor.permutation, feed))
        for tensor in observed.contract.inputs
        if (feed := observed.feeds[0].get(tensor.source.name)) is not None
    }
    outputs = {tensor.target.name: tensor.source.name for tensor in observed.contract.outputs}
    return align(source, target, observed.feeds, inputs, outputs, rtol, values)


def _relation(permutation: tuple[int, ...] | None, feed: Array) -> Relation:
    return Relation(permutation) if permutation is not None else identity(feed.ndim)


def native_view(observed: Observed) -> tuple[GraphView, dict[str, Probes]]:
    """The layers as a graph, and the values of their tensors. A tensor that is an output bears the output's name."""
    values: dict[str, Probes] = {one.tensor: one.load() for one in observed.tensors}
    renamed: dict[str, str] = {}
    for name, wanted in observed.outputs.items():
        same = [tensor for tensor, found in values.items() if tensor not in renamed and _same(found, wanted)]
        if same:
            renamed[same[-1]] = name
    known = set(observed.feeds[0])
    nodes = []
    for one in observed.tensors:
        made = renamed.get(one.tensor, one.tensor)
        reads = [renamed.get(name, name) for name in one.reads]
        nodes.append(
            helper.make_node(
                f"{_DOMAIN}.{one.operator}",
                [name for name in reads if name in known],
                [made],
                one.layer,
                domain=_DOMAIN,
            )
        )
        known.add(made)
    last = [node.output[0] for node in nodes[-1:]]
    for name in observed.outputs:
        if name not in known:
            nodes.append(helper.make_node(f"{_DOMAIN}.output", last, [name], name, domain=_DOMAIN))
    named = {renamed.get(tensor, tensor): found for tensor, found in values.items()} | dict(observed.outputs)
    graph = helper.make_graph(
        nodes,
        _DOMAIN,
        [helper.make_empty_tensor_value_info(name) for name in observed.feeds[0]],
        [helper.make_empty_tensor_value_info(name) for name in observed.outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid(_DOMAIN, 1)])
    return GraphView(model), {name: found for name, found in named.items() if name not in observed.feeds[0]}


def _same(one: Probes, two: Probes) -> bool:
    return all(
        left.shape == right.shape and np.allclose(left, right, rtol=1e-5, atol=1e-7, equal_nan=True)
        for left, right in zip(one, two, strict=True)
    )


def export_faults(alignment: Alignment) -> tuple[ExportFault, ...]:
    """The faults of an exporter, in the order of its graph."""
    return tuple(_fault(alignment, region) for region in alignment.regions)


def _fault(alignment: Alignment, region: Region) -> ExportFault:
    source, target = alignment.source, alignment.target
    node = source.nodes[source.maker[region.exit.source]]
    ours = [source.nodes[number].name for number in region.source_nodes]
    named = [target.nodes[number] for number in region.target_nodes]
    theirs = [f"{one.name.partition(';')[0]} ({one.op_type})" for one in named]  # a fused operator lists all its parts
    more = [f"and {len(theirs) - _NODES} more"] if len(theirs) > _NODES else []
    layers = tuple(dict.fromkeys(ours[-_SHOWN:])) if len(set(ours)) > 1 else ()
    operator = node.op_type.removeprefix(f"{_DOMAIN}.")
    return ExportFault(node.name, operator, (*theirs[:_NODES], *more), region.isolated, layers)


def layer_names(alignment: Alignment) -> dict[str, str]:
    """By ONNX node the native layers that it helps to compute: those between the cut points around it, `3 + 4` where they are a few.

    A node that helps to make the tensors of several cut points belongs to the first of them.
    """
    source, target = alignment.source, alignment.target
    found: dict[str, str] = {}
    for name in sorted(alignment.pairs, key=lambda tensor: target.maker.get(tensor, -1)):
        pair = alignment.pairs[name]
        if name not in target.maker or pair.source not in source.maker:
            continue
        numbers, border = target.slice_back(name, alignment.pairs)
        front = {alignment.pairs[read].source for read in border if read in alignment.pairs}
        between = source.slice_back(pair.source, front)[0] if pair.source not in front else []
        layers = dict.fromkeys(source.nodes[number].name for number in between)
        last = source.nodes[source.maker[pair.source]].name
        for number in numbers:
            found.setdefault(target.nodes[number].name, " + ".join(layers) if 0 < len(layers) <= _SHOWN else last)
    return found
