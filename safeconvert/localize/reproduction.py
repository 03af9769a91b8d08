"""A region as ONNX files of its own, laid out as ONNX' own tests are: `model.onnx` and `test_data_set_0/input_0.pb` ….

The smallest that shows a fault: the source's nodes between the cut points, fed what the source feeds them, and what they
have to give. A converter may need more surroundings to go wrong, so that the same is also written with more of the source in
front. The target's nodes of the region, taking the same inputs, stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.graph.execution import run_part
from safeconvert.graph.view import GraphView, subgraph
from safeconvert.localize.alignment import Alignment, Region

Array = np.ndarray[Any, Any]
_GROWTH = (0, 1, 2, 4)  # nodes in front of the cut points that are taken in as well
_LARGEST = 24 << 20  # bytes of one model with its data: what issue trackers take
_GROWN = 8 << 20  # of one with surroundings, which is there for want of a smaller one


@dataclass(frozen=True)
class Level:
    """The source's side of a region, with some of what lies in front.

    Attributes:
        folder: name of its folder.
        operators: of its nodes, in order.
    """

    folder: str
    operators: tuple[str, ...]


@dataclass(frozen=True)
class Reproduction:
    """What was written of a region.

    Attributes:
        levels: the smallest first; empty where even that is too large.
        target: operators of the target's nodes, which lie in `target.onnx`; empty where that was not written.
        left_out: why nothing was written; "" otherwise.
    """

    levels: tuple[Level, ...]
    target: tuple[str, ...]
    left_out: str = ""


def write_reproduction(alignment: Alignment, region: Region, folder: Path) -> Reproduction:
    """Write a region into a folder; a part that is larger than an issue tracker takes is left out."""
    worst = _worst_probe(alignment, region)
    wanted = {region.exit.source: alignment.source_values[region.exit.source][worst]}
    levels: list[Level] = []
    left_out = ""
    stop = {pair.source for pair in region.entries}
    numbers: list[int] = []
    for grown in range(max(_GROWTH) + 1):
        previous = numbers
        numbers, border = alignment.source.slice_back(region.exit.source, stop - {region.exit.source})
        stop = {name for tensor in border for name in _in_front(alignment.source, tensor)}
        if grown not in _GROWTH or (grown and numbers == previous) or not numbers or not border:
            continue
        feed = {name: alignment.source_values[name][worst] for name in border}
        size = _weight(alignment.source, numbers) + sum(value.nbytes for value in (*feed.values(), *wanted.values()))
        if size > (_GROWN if levels else _LARGEST):
            left_out = left_out or f"its {len(numbers)} nodes with their data take {size / 2**20:.0f} MiB"
            break
        level_folder = folder / str(len(levels))
        level_folder.mkdir(parents=True)
        onnx.save(_typed(alignment.source, numbers, feed, wanted), level_folder / "model.onnx")
        _data_set(level_folder / "test_data_set_0", feed, wanted)
        levels.append(Level(level_folder.name, tuple(alignment.source.nodes[number].op_type for number in numbers)))
    if not levels:
        return Reproduction((), (), left_out or "the source has no nodes there")
    return Reproduction(tuple(levels), _write_target(alignment, region, folder / "target.onnx"))


def _worst_probe(alignment: Alignment, region: Region) -> int:
    """The probe on which the region's own result is farthest from what it has to be."""
    entries = [pair.target for pair in region.entries]
    counts = range(len(alignment.source_values[region.exit.source]))
    feeds = [{name: alignment.target_values[name][n] for name in entries} for n in counts]
    rows = run_part(alignment.target, feeds, region.target_nodes, [region.exit.target])
    order = region.exit.relation.order

    def apart(number: int) -> float:
        wanted = alignment.source_values[region.exit.source][number].transpose(order).astype(np.float64)
        got = rows[number].get(region.exit.target)
        if got is None or got.size != wanted.size:
            return 0.0
        return float(np.nan_to_num(np.abs(wanted - got.reshape(wanted.shape)), nan=np.inf).max(initial=0.0))

    return max(counts, key=apart)


def _weight(view: GraphView, numbers: Iterable[int]) -> int:
    """Bytes of the constants that some nodes read."""
    read = {name for number in numbers for name in view.nodes[number].input}
    return sum(view.constants[name].nbytes for name in read & view.constants.keys())


def _in_front(view: GraphView, tensor: str) -> list[str]:
    """A tensor's makers' inputs; itself where the graph is fed it."""
    return view.data_inputs(view.maker[tensor]) if tensor in view.maker else [tensor]


def _typed(
    view: GraphView, numbers: Iterable[int], feed: Mapping[str, Array], wanted: Mapping[str, Array]
) -> onnx.ModelProto:
    """Some nodes as a model whose inputs and outputs have types and shapes."""
    model = subgraph(view, numbers, {name: _code(value) for name, value in feed.items()}, list(wanted))
    del model.graph.input[:], model.graph.output[:]
    model.graph.input.extend(_info(name, value) for name, value in feed.items())
    model.graph.output.extend(_info(name, value) for name, value in wanted.items())
    model.producer_name = "safeconvert"
    return model


def _write_target(alignment: Alignment, region: Region, path: Path) -> tuple[str, ...]:
    """The target's nodes, in a frame that takes and gives tensors as the source has them; their operators."""
    view = alignment.target
    if not region.target_nodes or _weight(view, region.target_nodes) > _LARGEST:
        return ()
    source_exit = alignment.source_values[region.exit.source][0]
    entries = {pair.source: pair for pair in region.entries}
    border = alignment.source.slice_back(region.exit.source, entries.keys() - {region.exit.source})[1]
    feeds = {pair.target: alignment.target_values[pair.target][0] for pair in region.entries}
    model = _typed(view, region.target_nodes, feeds, {})
    operators = tuple(node.op_type for node in model.graph.node)
    names = [*(name for name in border if name in entries), *(name for name in entries if name not in border)]
    del model.graph.input[:]
    front: list[onnx.NodeProto] = []
    for number, name in enumerate(names):
        pair, value = entries[name], alignment.source_values[name][0]
        model.graph.input.append(_info(f"input_{number}", value))
        shape = feeds[pair.target].shape
        front += _moved(model, f"input_{number}", pair.target, pair.relation.order, shape)
    order = region.exit.relation.order
    moved = tuple(source_exit.shape[axis] for axis in order)
    back = _moved(model, region.exit.target, "output::flat", tuple(range(len(order))), moved)
    back.append(helper.make_node("Transpose", ["output::flat"], ["output_0"], perm=np.argsort(order).tolist()))
    nodes = [*front, *model.graph.node, *back]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.output.append(_info("output_0", source_exit))
    onnx.save(model, path)
    return operators


def _moved(
    model: onnx.ModelProto, name: str, into: str, order: Sequence[int], shape: Sequence[int]
) -> list[onnx.NodeProto]:
    """Nodes that transpose and reshape a tensor."""
    constant = f"{into}::shape"
    model.graph.initializer.append(numpy_helper.from_array(np.array(shape, np.int64), constant))
    return [
        helper.make_node("Transpose", [name], [f"{into}::moved"], perm=list(order)),
        helper.make_node("Reshape", [f"{into}::moved", constant], [into]),
    ]


def _data_set(folder: Path, feed: Mapping[str, Array], wanted: Mapping[str, Array]) -> None:
    folder.mkdir()
    for role, values in (("input", feed), ("output", wanted)):
        for number, (name, value) in enumerate(values.items()):
            tensor = numpy_helper.from_array(np.ascontiguousarray(value), name)
            (folder / f"{role}_{number}.pb").write_bytes(tensor.SerializeToString())


def _info(name: str, value: Array) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, _code(value), value.shape)


def _code(value: Array) -> int:
    return int(helper.np_dtype_to_tensor_dtype(value.dtype))
