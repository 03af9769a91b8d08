"""A TFLite file of float operators as an ONNX graph, with the names and the order of its signature."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import onnx

from safeconvert.adapter_api.shapes import natural_order
from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.tflite.flatbuffer import BOOL, BYTE, INT, LONG, UINT, Record, root
from safeconvert.prove.readers.tflite.operator import Operator, Tensor
from safeconvert.prove.readers.tflite.table import OPERATORS
from safeconvert.prove.readers.writer import Input, Writer

_KINDS = {
    0: onnx.TensorProto.FLOAT, 1: onnx.TensorProto.FLOAT16, 2: onnx.TensorProto.INT32, 4: onnx.TensorProto.INT64,
    6: onnx.TensorProto.BOOL,
}  # fmt: skip
_EMPTY = b"\x04\x00\x00\x00\x04\x00\x00\x00"  # a record without fields


def read_tflite(content: bytes) -> onnx.ModelProto:
    """The graph of a file. Raises Refused, naming what is not known."""
    try:
        return _read(content)
    except (struct.error, ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise Refused(f"the file is damaged ({type(error).__name__}: {error})") from error


def _read(content: bytes) -> onnx.ModelProto:
    if content[4:8] != b"TFL3":
        raise Refused("no TFLite file")
    model = root(content)
    signatures = model.records(7)
    if len(signatures) > 1:
        raise Refused("several signatures")
    graphs = model.records(2)
    number = signatures[0].value(4, UINT) if signatures else 0
    graph, write = graphs[number], Writer()
    buffers = model.records(4)
    tensors = [_tensor(write, record, place, buffers) for place, record in enumerate(graph.records(0))]
    ends = [_named(tensors, graph.numbers(field), signatures, field - 1) for field in (1, 2)]
    known = {place: name for name, place in ends[0]}
    for place, tensor in enumerate(tensors):
        if tensor.array is not None and place not in known:
            known[place] = tensor.name
    codes = [
        max(code.value(0, BYTE), code.value(3, INT)) for code in model.records(1)
    ]  # small ones stand in the first field
    for record in graph.records(3):
        code = codes[record.value(0, UINT)]
        if code not in OPERATORS:
            raise Refused(f"the operator {code} of TFLite's builtin ones")
        name, rule = OPERATORS[code]
        reads = tuple(None if place < 0 else _renamed(tensors[place], known[int(place)]) for place in record.numbers(1))
        made = tuple(int(place) for place in record.numbers(2))
        options = record.record(4) or root(_EMPTY)
        outputs = rule(Operator(write, name, reads, tuple(tensors[place] for place in made), options))
        known.update(zip(made, outputs, strict=True))
    inputs = [Input(name, tensors[place].kind, tensors[place].shape) for name, place in ends[0]]
    results = [(Input(name, tensors[place].kind, tensors[place].shape), known[place]) for name, place in ends[1]]
    return write.model(inputs, results)


def _renamed(tensor: Tensor, name: str) -> Tensor:
    return replace(tensor, name=name)


def _tensor(write: Writer, record: Record, place: int, buffers: list[Record]) -> Tensor:
    """A tensor of the file. Raises Refused for one that is quantised, variable or sparse."""
    name, code = record.text(3), record.value(1, BYTE)
    quantised = record.record(4)
    if quantised is not None and len(quantised.numbers(2, "<f4")):
        raise Refused(f"the tensor {name} is quantised")
    if record.value(5, BOOL, False) or record.record(6) is not None:
        raise Refused(f"the tensor {name} is variable or sparse")
    if code not in _KINDS:
        raise Refused(f"the tensor {name} is of TFLite's type {code}")
    sizes = [int(size) for size in record.numbers(0)]
    declared = [int(size) for size in record.numbers(7)] or sizes
    shape = tuple(None if size == -1 else size for size in declared)
    array = _array(buffers[record.value(2, UINT)], _KINDS[code], sizes)
    own = f"tensor_{place}" if array is None else write.constant(array)
    return Tensor(own, _KINDS[code], shape, array, name)


def _array(buffer: Record, kind: int, sizes: list[int]) -> Array | None:
    """The numbers of a buffer; None where it has none."""
    start, count = buffer.value(1, LONG), buffer.value(2, LONG)
    held = buffer.numbers(0, "u1").tobytes()
    if start > 1:  # behind the flatbuffer, as large files have them; 0 and 1 say that there are none
        if start + count > len(buffer.content):
            raise Refused("numbers that end beyond the file")
        held = buffer.content[start : start + count]
    if not held and 0 not in sizes:
        return None
    return np.frombuffer(held, onnx.helper.tensor_dtype_to_np_dtype(kind)).reshape(sizes)


def _named(tensors: list[Tensor], listed: Array, signatures: list[Record], side: int) -> list[tuple[str, int]]:
    """Names and tensors of the inputs (0) or outputs (1), in the order of the signature's names, else in that of the graph."""
    if not signatures:
        names = [tensors[place].label for place in listed]
        return [(n if names.count(n) == 1 else f"{n}_{at}", int(listed[at])) for at, n in enumerate(names)]
    entries = [(entry.text(0), int(entry.value(1, UINT))) for entry in signatures[0].records(side)]
    if sorted(place for _, place in entries) != sorted(int(place) for place in listed):
        raise Refused("a signature that is not of the graph's inputs and outputs")
    return sorted(entries, key=lambda entry: natural_order(entry[0]))
