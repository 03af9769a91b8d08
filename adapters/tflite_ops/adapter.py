"""TFLite in eight bits, or in int16x8 → ONNX: what LiteRT computes in integers, said operator by operator in ONNX's plain ones.

tf2onnx says an integer operator as a float one between QuantizeLinear and DequantizeLinear, which rounds elsewhere than LiteRT does. What this
cannot say exactly is refused by name. A file without quantised tensors is another route's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from onnx import helper

from safeconvert.adapter_api.protocol import UNCHANGED, ConvertRequest
from safeconvert.errors import UnusableInput

from .._shared.untrusted.tflite_operators import inspect_tflite_file
from .file import File, Step, read
from .graph import Graph, Held, Operator, model
from .moves import shape_is_known
from .table import OPERATORS, SIXTEEN


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert and save; no dimension moves.

    Raises:
        UnusableInput: an operator that cannot be said exactly, or no quantised tensor.
    """
    step = ConvertRequest.from_json(request)
    inspect_tflite_file(step.model)
    file = read(step.model.path)
    onnx.save(_written(file, step.model.path), step.target)
    return replace(UNCHANGED, obligations=tuple(_stored(file))).to_json()


def written(path: str) -> onnx.ModelProto:
    """The ONNX graph of a file. Raises UnusableInput as `convert` does."""
    return _written(read(path), path)


def _stored(file: File) -> Iterator[str]:
    """What bytes at the ends stand for, which only the TFLite file holds."""
    for side, ends in (("input", file.inputs), ("output", file.outputs)):
        for name, place in ends:
            tensor = file.tensors[place]
            if tensor.quantized:
                real = f"real = {float(tensor.scale):.9g} * (stored - {tensor.zero})"
                yield f"{side} {name}: stores real values as {tensor.kind}: {real}; the target's file does not hold this"


def _written(file: File, path: str) -> onnx.ModelProto:
    if not any(tensor.quantized and tensor.array is None for tensor in file.tensors):
        raise UnusableInput(f"{path}: computes nothing in eight or 16 bits", "tf2onnx converts it")
    graph = Graph(file)
    inputs = [_entry(graph, name, place) for name, place in file.inputs]
    for step in _needed(file):
        operator = Operator(graph, step)
        rules, where = (SIXTEEN, " in 16 bits") if _in_sixteen(operator) else (OPERATORS, "")
        if step.name not in rules:
            raise operator.refuse(f"is not supported{where}")
        rules[step.name](operator)
    ends, outputs = [], []
    for name, place in file.outputs:
        ends.append(_exit(graph, name, place))
        outputs.append(_declared(file, name, place))
    made = model(graph, ends, inputs, outputs)
    onnx.checker.check_model(made, full_check=True)
    return made


def _in_sixteen(operator: Operator) -> bool:
    """Whether an operator reads or gives words of 16 bits. Raises UnusableInput for such as no kernel of LiteRT takes."""
    step, tensors = operator.step, operator.write.file.tensors
    words = [tensors[place] for place in (*step.reads, *step.gives) if place >= 0 and tensors[place].kind == "int16"]
    if any(len(tensor.scales) != 1 or tensor.zeros.any() for tensor in words):
        raise operator.refuse("holds words of 16 bits without one scale, or with a zero point")
    return bool(words)


def _entry(graph: Graph, name: str, place: int) -> onnx.ValueInfoProto:
    """Declare an input; one of bytes becomes whole numbers less the zero point."""
    tensor = graph.file.tensors[place]
    held = name
    if tensor.quantized:
        held = graph("Sub", graph("Cast", name, to=onnx.TensorProto.FLOAT), graph.constant(tensor.zero))
    graph.held[place] = Held(held)
    return _declared(graph.file, name, place)


def _exit(graph: Graph, name: str, place: int) -> onnx.NodeProto:
    tensor = graph.file.tensors[place]
    held = graph.last(place)
    if not tensor.quantized:
        return helper.make_node("Identity", [held], [name], name=f"output_{name}")
    stored = graph("Add", held, graph.constant(tensor.zero))
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(tensor.kind))
    return helper.make_node("Cast", [stored], [name], name=f"output_{name}", to=kind)


def _declared(file: File, name: str, place: int) -> onnx.ValueInfoProto:
    tensor = file.tensors[place]
    if not tensor.kind:
        raise UnusableInput(f"{name}: of a type that is not supported", "take another route")
    sizes = [
        ("batch" if axis == 0 else f"{name}_{axis}") if size is None else size for axis, size in enumerate(tensor.shape)
    ]
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(tensor.kind)), sizes)


def _needed(file: File) -> list[Step]:
    """The operators that the outputs depend on, less those that only compute a shape that the file says."""
    wanted = {place for _, place in file.outputs}
    kept = []
    for step in reversed(file.steps):
        if wanted & set(step.gives):
            kept.append(step)
            free = step.name == "RESHAPE" and shape_is_known(file.tensors[step.gives[0]].shape)
            wanted |= set(step.reads[:1] if free else step.reads)
    return kept[::-1]
