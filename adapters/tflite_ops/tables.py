"""Operators on each stored value alone: a table of 256 or 65536 entries, which LiteRT itself computes."""

from __future__ import annotations

import copy

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from .file import Array
from .graph import Operator, Rule
from .pairs import give


def each(operator: str = "") -> Rule:
    """A function of one stored value, read from a table; in float32 an operator of ONNX.

    Args:
        operator: of ONNX; "" where the operator is refused in float32.
    """

    def rule(o: Operator) -> None:
        second = o.is_second() if o.tensor(0).array is None else False
        name = o.second() if second else o.last()
        if o.tensor(0).quantized:
            return give(o, looked_up(o, name, _table(o, ())), second)
        if not operator or o.quantized:
            raise o.refuse("is not supported in float32")
        return give(o, o.write(operator, name), second)

    return rule


def prelu(o: Operator) -> None:
    """PRELU, whose slopes are one a channel."""
    slopes = o.tensor(1).array
    if slopes is None or slopes.size != slopes.shape[-1] or not o.tensor(0).quantized:
        raise o.refuse("has slopes that are computed, not one a channel, or in float32")
    tables = _table(o, slopes.shape).T
    offsets = np.arange(len(tables), dtype=np.float32) * tables.shape[1]
    placed = o.write("Add", o.last(), o.write.constant(offsets))
    o.give(last=looked_up(o, placed, tables.reshape(-1)))


def looked_up(o: Operator, name: str, table: Array) -> str:
    """The entry of a table for each byte less its zero point."""
    least = o.tensor(0).bounds[0]
    place = o.write("Cast", o.write("Sub", name, o.write.constant(least)), to=7)
    return str(o.write("Gather", o.write.constant(table), place, axis=0))


def _table(o: Operator, others: tuple[int, ...]) -> Array:
    """What LiteRT gives for each stored value, less the output's zero point where it is quantised; with an axis a channel behind it.

    Args:
        o: the operator.
        others: the shape of its constant operand, whose last axis counts channels; () for none.
    """
    whole = copy.deepcopy(o.write.file.model)
    graph = whole.subgraphs[0]
    step = graph.operators[o.step.index]
    given, made = o.step.reads[0], o.step.gives[0]
    limits = np.iinfo(o.tensor(0).kind)
    stored = np.arange(limits.min, limits.max + 1).astype(o.tensor(0).kind)
    shape = [1, 1, len(stored), others[-1]] if others else [1, len(stored)]
    for place in (given, made):
        graph.tensors[place].shape = np.asarray(shape, np.int32)
        graph.tensors[place].shapeSignature = None
    graph.operators = [step]
    graph.inputs, graph.outputs = np.asarray([given], np.int32), np.asarray([made], np.int32)
    whole.signatureDefs = None
    import flatbuffers

    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(whole.Pack(builder), file_identifier=b"TFL3")
    run = Interpreter(model_content=bytes(builder.Output()), num_threads=1)
    run.allocate_tensors()
    fed = np.broadcast_to(stored.reshape(1, 1, -1, 1) if others else stored, shape)
    run.set_tensor(run.get_input_details()[0]["index"], np.ascontiguousarray(fed))
    run.invoke()
    found = run.get_tensor(run.get_output_details()[0]["index"]).astype(np.float32)
    zero = np.float32(o.output.zero if o.output.quantized else 0)
    return np.asarray((found - zero).reshape(len(stored), *others[-1:]), np.float32)
