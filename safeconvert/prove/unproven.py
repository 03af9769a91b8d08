"""Where a target leaves what is known of the source, with both subgraphs and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from safeconvert.graph.attributes import attributes
from safeconvert.graph.view import GraphView
from safeconvert.prove.search import Reading

_ROUNDED = 1e-3
"""Of a constant's largest number."""


@dataclass(frozen=True)
class Unproven:
    """A node of the target that is no known term of the source although all that it reads is.

    Attributes:
        target: the target's node.
        operator: its operator.
        reads: tensors of the source that carry what it reads.
        source: what the source does with these tensors, node by node.
        missing: what would be needed.
        differs: whether a node of the same operator stands there, with another constant or attribute.
        others: which of its numbers are others there, where they are few and farther apart than rounding and storing leave them; "" for none.
    """

    target: str
    operator: str
    reads: tuple[str, ...]
    source: tuple[str, ...]
    missing: str
    differs: bool
    others: str = ""


def frontier(source: Reading, target: Reading) -> list[Unproven]:
    """Where the target first computes what the source does not, and comes to nothing that the source does behind it."""
    known: dict[int, str] = {}
    for name, value in source.values.items():
        known.setdefault(value.term.number, name)
    found = []
    open_ended = _open_ended(target, known)
    for node in target.view.nodes:
        if all(name in target.constant for name in node.output if name) or open_ended.isdisjoint(node.output):
            continue
        made = [target.values.get(name) for name in node.output if name]
        if all(value is not None and value.term.number in known for value in made):
            continue
        reads = [target.values.get(name) for name in node.input if name and name not in target.constant]
        if all(value is not None and value.term.number in known for value in reads):
            names = tuple(known[value.term.number] for value in reads if value is not None)
            readers = list(_readers(source, names))
            shown = tuple(f"{reader.op_type} {reader.name}" for reader in readers)
            found.append(
                Unproven(node.name, node.op_type, names, shown, *_missing(source.view, target.view, readers, node))
            )
    return found


def _open_ended(target: Reading, known: Mapping[int, str]) -> set[str]:
    """Tensors from which an output of the target follows that is no known term, by way of no known one; all where there is no such output."""
    unknown = [name for name in target.view.outputs if not _is_known(target, known, name)]
    found = set(unknown or target.values)
    for node in reversed(target.view.nodes):
        if any(name in found and not _is_known(target, known, name) for name in node.output):
            found.update(node.input)
    return found


def _is_known(target: Reading, known: Mapping[int, str], name: str) -> bool:
    return name in target.values and target.values[name].term.number in known


def _readers(source: Reading, names: tuple[str, ...]) -> Iterator[onnx.NodeProto]:
    """Nodes of the source that read a tensor of the same content as one of those named."""
    terms = {source.values[name].term.number for name in names}
    for node in source.view.nodes:
        if any(name in source.values and source.values[name].term.number in terms for name in node.input):
            yield node


def _missing(
    source: GraphView, target: GraphView, readers: list[onnx.NodeProto], node: onnx.NodeProto
) -> tuple[str, bool, str]:
    """What tells the target's node from the source's node of the same operator, or that there is none; `differs` and `others` of `Unproven`."""
    same = [reader for reader in readers if reader.op_type == node.op_type]
    if not readers:
        return "the source does nothing with what it reads", False, ""
    if not same:
        operators = ", ".join(sorted({reader.op_type for reader in readers}))
        return f"no axiom relates {node.op_type} to the source's {operators}", False, ""
    ours, theirs = (_settings(view, one) for view, one in ((source, same[0]), (target, node)))
    other = sorted(name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name))
    told = [f"{name} is {theirs.get(name)}, and {ours.get(name)} in {same[0].name}" for name in other]
    others = ""
    for index, (one, two) in enumerate(zip(same[0].input, node.input, strict=False)):
        left, right = source.constants.get(one), target.constants.get(two)
        if left is not None and right is not None and not np.array_equal(left, right):
            told.append(f"input {index} {_difference(left, right)} in {same[0].name}")
            others = others or _few_others(left, right)
    return "; ".join(told) or f"{node.op_type} stands behind other operators than {same[0].name}", bool(told), others


def _few_others(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> str:
    """How many numbers of a constant are others, in words; "" where they are most, as in one that is permuted or stored in fewer bits."""
    if left.shape != right.shape or left.dtype.kind != "f" or not left.size:
        return ""
    one, two = left.astype(np.float64), right.astype(np.float64)
    count = int(
        (~(np.abs(one - two) <= _ROUNDED * np.abs(one).max(initial=0.0, where=np.isfinite(one))) & (one != two)).sum()
    )
    return f"{count} of {left.size}" if count and (left.size == 1 or count <= left.size // 2) else ""


def _difference(left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> str:
    if left.shape != right.shape:
        return f"has the shape {list(right.shape)}, and {list(left.shape)}"
    apart = np.abs(left.astype(np.float64) - right.astype(np.float64))
    return f"differs in {int((apart > 0).sum())} of {apart.size} numbers, by at most {apart.max(initial=0):.3g}, from what it is"


def _settings(view: GraphView, node: onnx.NodeProto) -> Mapping[str, Any]:
    shapes = [view.constants[name].shape if name in view.constants else None for name in node.input]
    return attributes(node, view.opset, shapes)
