"""What differs between the nodes of a region, each difference with the edits that would undo it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from safeconvert.compare.relation import Relation
from safeconvert.graph.attributes import attributes
from safeconvert.graph.edits import Bypass, Edit, InsertTranspose, Rewire, SetAttribute, SetConstant, Splice
from safeconvert.graph.operators import CHANNELS_SECOND, JOINING, LAYOUT, REORDERING, WEIGHTED
from safeconvert.graph.view import GraphView
from safeconvert.localize.flattened import row_order
from safeconvert.localize.isolated import IsolatedRegion

Array = np.ndarray[Any, Any]

_AXIS = {"axis", "axes"}


@dataclass(frozen=True)
class Difference:
    """One thing that a target node has otherwise.

    Attributes:
        kind: WB, LH, CG or TSS.
        target: name of the target's node.
        source: name of the source's node; "" where there is none.
        what: in words: `pads: [1,1,1,1] in the source, [0,0,1,1] in the target`.
        edits: what undoes it.
        change: `missing`, `added` or `different`.
        extent: how much it takes to undo it: 1, and for weights up to 4 more with the share of values that change.
    """

    kind: str
    target: str
    source: str
    what: str
    edits: tuple[Edit, ...]
    change: str = "different"
    extent: float = 1.0


def differences(part: IsolatedRegion, source: GraphView, rows_follow: bool) -> list[Difference]:
    """Everything in which the target's nodes of a region differ from the source's, said as `source` says them.

    Args:
        part: the region.
        source: the source's nodes, as they are or said otherwise.
        rows_follow: a tensor that is flattened in another order is right, and the rows of the weights behind have to
            follow; else the order is what is wrong.
    """
    paired = _pair_nodes(part.target, source)
    stands_for = dict(part.by_source) | {
        source.nodes[ours].output[0]: part.target.nodes[theirs].output[0] for ours, theirs in paired
    }
    found: list[Difference] = []
    for ours, theirs in paired:
        rewired = list(_of_inputs(part, source, ours, theirs, stands_for))
        found += rewired
        if not rows_follow:
            read = {e.index: e.tensor for one in rewired for e in one.edits if isinstance(e, Rewire)}
            found += _of_layout(part, source, ours, theirs, read)
        found += _of_constants(part, source, ours, theirs, rows_follow)
        found += _of_attributes(part, source, ours, theirs)
    extra = set(range(len(part.target.nodes))) - {theirs for _, theirs in paired}
    found += [difference for number in sorted(extra) for difference in _extra(part.target, number)]
    found += _missing(part, source, paired)
    return found


def _pair_nodes(target: GraphView, source: GraphView) -> list[tuple[int, int]]:
    """(source node, target node) of equal operators: the longest common subsequence of the two orders."""
    ours = [node.op_type for node in source.nodes]
    theirs = [node.op_type for node in target.nodes]
    longest = np.zeros((len(ours) + 1, len(theirs) + 1), int)
    for i in range(len(ours) - 1, -1, -1):
        for j in range(len(theirs) - 1, -1, -1):
            same = longest[i + 1, j + 1] + 1 if ours[i] == theirs[j] else 0
            longest[i, j] = max(same, longest[i + 1, j], longest[i, j + 1])
    paired, i, j = [], 0, 0
    while i < len(ours) and j < len(theirs):
        if ours[i] == theirs[j] and longest[i, j] == longest[i + 1, j + 1] + 1:
            paired.append((i, j))
            i, j = i + 1, j + 1
        elif longest[i + 1, j] >= longest[i, j + 1]:
            i += 1
        else:
            j += 1
    return paired


def _relation(part: IsolatedRegion, node: onnx.NodeProto) -> Relation | None:
    """The order of axes in which a target node works: of the cut point it reads, else of the region's exit."""
    for name in node.input:
        if name in part.entries:
            return part.entries[name].relation
    return part.region.exit.relation


def _of_layout(
    part: IsolatedRegion, source: GraphView, ours: int, theirs: int, rewired: Mapping[int, str]
) -> Iterator[Difference]:
    """A node that asks for an order of axes and is given another; the node that moved the axes is named for it.

    `rewired` are the tensors that it will read instead, by input.
    """
    node = part.target.nodes[theirs]
    if node.op_type in LAYOUT:
        indices = range(1)
    elif node.op_type in JOINING:
        indices = range(len(node.input))
    else:
        return
    for index in indices:
        entry = _entry_in_front(part, rewired.get(index, node.input[index]))
        if entry is None:
            continue
        pair = part.entries[entry]
        rank = len(pair.relation.order)
        order = tuple(range(rank)) if node.op_type in LAYOUT else part.region.exit.relation.order
        shape = part.source_feeds[0][pair.source].shape
        long_axes = [axis for axis in pair.relation.order if shape[axis] != 1]
        if len(order) != rank or long_axes == [axis for axis in order if shape[axis] != 1]:
            continue
        back = tuple(pair.relation.order.index(axis) for axis in order)
        what = f"{node.name} reads input {index} in the order {list(pair.relation.order)} of the source's axes"
        edit = InsertTranspose(node.name, index, back)
        # an input in the source's own order is not the one that was moved: the others were
        named = part.movers.get(entry) or next(iter(part.movers.values()), node.name)
        yield Difference("TSS", named, source.nodes[ours].name, what, (edit,))


def _entry_in_front(part: IsolatedRegion, name: str) -> str | None:
    """The entry whose order of axes a tensor of the region has; None where an operator in between settles its own."""
    while name not in part.entries:
        maker = part.target.maker.get(name)
        if maker is None or part.target.nodes[maker].op_type in REORDERING | CHANNELS_SECOND | JOINING:
            return None
        name = next((read for read in part.target.nodes[maker].input if read not in part.target.constants), "")
    return name


def _of_constants(
    part: IsolatedRegion, source: GraphView, ours: int, theirs: int, rows_follow: bool
) -> Iterator[Difference]:
    mine, other = source.nodes[ours], part.target.nodes[theirs]
    relation = _relation(part, other)
    for index in range(max(len(mine.input), len(other.input))):
        wanted = source.constants.get(mine.input[index]) if index < len(mine.input) else None
        there = part.target.constants.get(other.input[index]) if index < len(other.input) else None
        if wanted is None and there is None:
            continue
        if wanted is None:
            absent = index >= len(mine.input) or not mine.input[index]
            if absent:
                what = f"input {index}: {_short(there)} in the target, none in the source"
                yield Difference(_constant_kind(other, there), other.name, mine.name, what,
                                 (SetConstant(other.name, index, None),), "added")  # fmt: skip
            continue
        moved = _in_target_order(wanted, there, relation, other.op_type)
        as_flattened = None
        if rows_follow and index == 1 and mine.op_type in ("Gemm", "MatMul") and moved.ndim == 2:
            rows = row_order(part, source, ours, theirs)
            if rows is not None:
                as_flattened = moved
                moved = np.take(moved, rows, axis=int(_transposed(mine)))
        if (
            there is not None
            and moved.shape == there.shape
            and np.array_equal(moved, there, equal_nan=moved.dtype.kind == "f")
        ):
            continue
        if index < len(other.input) and other.input[index] and there is None:
            continue  # fed by a node: a matter of inputs
        kind = _constant_kind(other, wanted)
        change = "missing" if there is None else "different"
        what = f"input {index}: {_short(wanted)} in the source, {_short(there)} in the target"
        extent = 1.0
        if there is not None and there.shape == moved.shape and there.dtype.kind == "f":
            apart = np.abs(moved.astype(np.float64) - there.astype(np.float64))
            what = (
                f"input {index}: {int((apart > 0).sum())} of {there.size} values differ, by at most {apart.max():.3g}"
            )
            extent = 1 + 4 * float((apart > 0).mean())
            if as_flattened is not None and np.array_equal(as_flattened, there):
                kind, extent = "TSS", 1.0
                what = f"input {index}: its rows are in the order in which the source flattens, not in the target's own"
        elif there is not None and kind == "WB":
            extent = 5.0
        yield Difference(kind, other.name, mine.name, what, (SetConstant(other.name, index, moved),), change, extent)


def _in_target_order(wanted: Array, there: Array | None, relation: Relation | None, operator: str) -> Array:
    """A source constant as the target has to hold it: the axes of one that is broadcast follow the data's."""
    if there is not None and wanted.shape == there.shape and (operator in LAYOUT or wanted.ndim < 3):
        return wanted
    elementwise = operator in ("Mul", "Add", "Sub", "Div", "PRelu", "Where", "Pow", "Min", "Max")
    if elementwise and relation is not None and 0 < wanted.ndim <= len(relation.order) and wanted.size > 1:
        full = wanted.reshape([1] * (len(relation.order) - wanted.ndim) + list(wanted.shape)).transpose(relation.order)
        return full.reshape(there.shape) if there is not None and there.size == full.size else full
    if there is not None and there.size == wanted.size and there.ndim != wanted.ndim:
        return wanted.reshape(there.shape)
    return wanted


def _of_attributes(part: IsolatedRegion, source: GraphView, ours: int, theirs: int) -> Iterator[Difference]:
    mine, other = source.nodes[ours], part.target.nodes[theirs]
    wanted = attributes(mine, source.opset, _shapes(source, mine, part.source_feeds[0]))
    there = attributes(other, part.target.opset, _shapes(part.target, other, part.target_feeds[0]))
    relation = _relation(part, other)
    for name in sorted(wanted.keys() | there.keys()):
        value = _axis_in_target(wanted.get(name), relation) if name in _AXIS else wanted.get(name)
        if value == there.get(name) or (name in _AXIS and wanted.get(name) == there.get(name)):
            continue
        if name == "perm" and other.op_type == "Transpose":
            kind = "TSS"
        else:
            kind = "LH"
        change = "missing" if name not in there else "added" if name not in wanted else "different"
        edits: list[Edit] = [SetAttribute(other.name, name, value)]
        if name == "pads":
            edits.append(SetAttribute(other.name, "auto_pad", None))
        what = f"{name}: {_said(wanted.get(name))} in the source, {_said(there.get(name))} in the target"
        yield Difference(kind, other.name, mine.name, what, tuple(edits), change)


def _said(value: Any) -> Any:
    """An attribute's value for a person: a float32 as it was written, not all its digits in float64."""
    if isinstance(value, list):
        return [_said(item) for item in value]
    return f"{value:.7g}" if isinstance(value, float) else value


def _axis_in_target(value: Any, relation: Relation | None) -> Any:
    if relation is None or value is None:
        return value
    rank = len(relation.order)

    def moved(axis: int) -> int:
        return relation.order.index(axis % rank) if -rank <= axis < rank else axis

    return sorted(map(moved, value)) if isinstance(value, list) else moved(value)


def _of_inputs(
    part: IsolatedRegion, source: GraphView, ours: int, theirs: int, stands_for: Mapping[str, str]
) -> Iterator[Difference]:
    """A node that reads another tensor than the one that stands for what the source reads: all its inputs together."""
    mine, other = source.nodes[ours], part.target.nodes[theirs]
    standing = {name: ours_name for ours_name, name in stands_for.items()}
    edits: list[Edit] = []
    said = []
    for index, name in enumerate(mine.input):
        expected = stands_for.get(name)
        if name in source.constants or expected is None or index >= len(other.input):
            continue
        read = other.input[index]
        if read == expected or standing.get(read) in (None, name):
            continue
        edits.append(Rewire(other.name, index, expected))
        said.append(f"input {index}: reads {read}, and {expected} stands for the source's {name}")
    if edits:
        yield Difference("CG", other.name, mine.name, "; ".join(said), tuple(edits))


def _extra(target: GraphView, number: int) -> Iterator[Difference]:
    """A node that the source does not have: take it out."""
    node = target.nodes[number]
    for index, name in enumerate(node.input):
        if name and name not in target.constants:
            kind = "TSS" if node.op_type == "Transpose" else "CG"
            what = f"{node.op_type}, which the source does not have"
            yield Difference(kind, node.name, "", what, (Bypass(node.name, index),), "added")
            return


def _missing(part: IsolatedRegion, source: GraphView, paired: Sequence[tuple[int, int]]) -> Iterator[Difference]:
    """A node of one input that the target does not have: put it in front of what reads it."""
    with_target = dict(paired)
    for number, node in enumerate(source.nodes):
        if number in with_target or not node.output:
            continue
        readers = [user for user in source.users.get(node.output[0], ()) if user in with_target]
        data = [name for name in node.input if name and name not in source.constants]
        if len(data) != 1:
            continue
        constants = tuple(t for t in source.model.graph.initializer if t.name in node.input)
        kind = "TSS" if node.op_type == "Transpose" else "CG"
        what = f"{node.op_type}, which the target does not have"
        for reader in readers:
            other = part.target.nodes[with_target[reader]]
            index = list(source.nodes[reader].input).index(node.output[0])
            if index >= len(other.input):
                continue
            name = f"{other.name}::{index}::inserted"
            splice = Splice(name, (node,), constants, {data[0]: other.input[index]}, node.output[0], f"{name}::")
            edits = (splice, Rewire(other.name, index, name))
            yield Difference(kind, other.name, node.name, what, edits, "missing")
        behind = [theirs for ours, theirs in paired if source.nodes[ours].output[0] == data[0]]
        if node.output[0] == part.region.exit.source and behind:
            made = part.target.nodes[behind[0]]
            yield _behind(part, node, data[0], made, constants, kind, what)


def _behind(
    part: IsolatedRegion, node: onnx.NodeProto, data: str, made: onnx.NodeProto,
    constants: tuple[onnx.TensorProto, ...], kind: str, what: str,
) -> Difference:  # fmt: skip
    """The missing node is the last of the region: it takes over the exit's name."""
    exit_name = part.region.exit.target
    replaced = f"{exit_name}::replaced"
    splice = Splice(exit_name, (node,), constants, {data: replaced}, node.output[0], f"{exit_name}::inserted::")
    return Difference(kind, made.name, node.name, what, (splice,), "missing")


def _shapes(view: GraphView, node: onnx.NodeProto, feeds: Mapping[str, Array]) -> list[Sequence[int] | None]:
    found: list[Sequence[int] | None] = []
    for name in node.input:
        value = view.constants.get(name, feeds.get(name))
        found.append(value.shape if value is not None else None)
    return found


def _transposed(node: onnx.NodeProto) -> bool:
    """Whether a Gemm holds its weights with a row for each output."""
    return any(attribute.name == "transB" and attribute.i for attribute in node.attribute)


def _constant_kind(node: onnx.NodeProto, value: Array | None) -> str:
    weights = node.op_type in WEIGHTED and value is not None and value.dtype.kind in "fiu"
    return "WB" if weights else "LH"


def _short(value: Array | None) -> str:
    if value is None:
        return "none"
    return str(value.tolist()) if value.size <= 8 else f"{value.dtype}{list(value.shape)}"
