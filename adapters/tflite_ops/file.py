"""A .tflite file of one graph: its tensors, its operators, and the names of its ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from safeconvert.adapter_api.shapes import natural_order
from safeconvert.errors import UnusableInput

from .._shared.tflite_model import model_of

Array = np.ndarray[Any, Any]
_KINDS = {
    schema.TensorType.FLOAT32: "float32", schema.TensorType.INT8: "int8", schema.TensorType.UINT8: "uint8",
    schema.TensorType.INT16: "int16", schema.TensorType.INT32: "int32", schema.TensorType.INT64: "int64", schema.TensorType.BOOL: "bool",
}  # fmt: skip
_CODES = {value: name for name, value in vars(schema.BuiltinOperator).items() if not name.startswith("_")}


@dataclass(frozen=True)
class Tensor:
    """A tensor of the file.

    Attributes:
        place: its number.
        name: in the file.
        kind: numpy's name of its type; "" for one that is not known here.
        shape: None is a size that is free.
        scales, zeros: of a quantised tensor, one or one a channel; empty where it is not quantised.
        array: of a constant, what is stored.
    """

    place: int
    name: str
    kind: str
    shape: tuple[int | None, ...]
    scales: Array
    zeros: Array
    array: Array | None

    @property
    def quantized(self) -> bool:
        """Whether it holds bytes, or words of 16 bits, that stand for real values."""
        return bool(len(self.scales)) and self.kind in ("int8", "uint8", "int16")

    @property
    def scale(self) -> np.float32:
        """The one scale of an activation."""
        return np.float32(self.scales[0])

    @property
    def zero(self) -> int:
        """The one zero point of an activation."""
        return int(self.zeros[0])

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the largest of what it stores, less the zero point."""
        limits = np.iinfo(self.kind)
        return int(limits.min) - self.zero, int(limits.max) - self.zero

    @property
    def centred(self) -> Array:
        """A constant as a graph computes with it: bytes less their zero point in float32, anything else as it is."""
        assert self.array is not None
        if not self.quantized:
            return self.array
        if len(self.zeros) > 1 and self.zeros.any():
            raise UnusableInput(f"{self.name}: a zero point a channel, which TFLite's specification rules out")
        return self.array.astype(np.float32) - np.float32(self.zero)


@dataclass(frozen=True)
class Step:
    """An operator: its name, the numbers of the tensors that it reads (-1 for none) and gives, and its options."""

    name: str
    reads: tuple[int, ...]
    gives: tuple[int, ...]
    options: Any
    index: int


@dataclass(frozen=True)
class File:
    """The graph of a file. `inputs` and `outputs` are names and tensors' numbers, in the order of the signature's names."""

    tensors: tuple[Tensor, ...]
    steps: tuple[Step, ...]
    inputs: tuple[tuple[str, int], ...]
    outputs: tuple[tuple[str, int], ...]
    model: Any


def read(path: str) -> File:
    """Read a file. Raises UnusableInput for several signatures or graphs."""
    with open(path, "rb") as file:
        model = model_of(file.read())
    signatures = model.signatureDefs or []
    if len(signatures) > 1 or len(model.subgraphs) > 1:
        raise UnusableInput(f"{path}: several signatures or graphs", "take another route")
    graph = model.subgraphs[0]
    tensors = tuple(_tensor(model, place, tensor) for place, tensor in enumerate(graph.tensors))
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    steps = tuple(
        Step(_CODES[codes[step.opcodeIndex]], _numbers(step.inputs), _numbers(step.outputs), step.builtinOptions, index)
        for index, step in enumerate(graph.operators)
    )
    listed = _numbers(graph.inputs), _numbers(graph.outputs)
    if not signatures:
        ends = [_unique([tensors[place].name for place in places], places) for places in listed]
    else:
        entries = (signatures[0].inputs, signatures[0].outputs)
        ends = [
            sorted(((one.name.decode(), int(one.tensorIndex)) for one in side), key=lambda one: natural_order(one[0]))
            for side in entries
        ]
    return File(tensors, steps, tuple(ends[0]), tuple(ends[1]), model)


def _unique(names: Sequence[str], places: Sequence[int]) -> list[tuple[str, int]]:
    return [
        (name if names.count(name) == 1 else f"{name}_{at}", place)
        for at, (name, place) in enumerate(zip(names, places, strict=True))
    ]


def _numbers(listed: Any) -> tuple[int, ...]:
    return () if listed is None else tuple(int(number) for number in listed)


def _tensor(model: Any, place: int, tensor: Any) -> Tensor:
    kind = _KINDS.get(tensor.type, "")
    sizes = _numbers(tensor.shape)
    declared = _numbers(tensor.shapeSignature) or sizes
    data = model.buffers[tensor.buffer].data
    array = None
    if kind and data is not None and len(data):
        array = np.frombuffer(bytes(data), kind).reshape(sizes)
    own = tensor.quantization
    scales = np.asarray([] if own is None or own.scale is None else own.scale, np.float32)
    zeros = np.asarray([] if own is None or own.zeroPoint is None else own.zeroPoint, np.int64)
    shape = tuple(None if size < 0 else size for size in declared)
    return Tensor(place, (tensor.name or b"").decode("utf-8", "replace"), kind, shape, scales, zeros, array)
