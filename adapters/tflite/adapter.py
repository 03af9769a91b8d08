"""Runs TFLite models natively with LiteRT, on the CPU; with TensorFlow's interpreter where a file needs TF Select."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from safeconvert.adapter_api.changes import Changes
from safeconvert.adapter_api.feeding import joined
from safeconvert.adapter_api.intermediates import Intermediate
from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.adapter_api.shapes import natural_order, with_given_shapes
from safeconvert.adapter_api.weights import replacements
from safeconvert.core.runtimes import Runtime
from safeconvert.core.signature import Quantization, Signature, TensorSpec
from safeconvert.errors import UnusableInput

from .._shared.untrusted.tflite_operators import inspect_tflite
from . import latency, micro, precision, recipes, stored
from .bias import correct, with_own_biases  # called by name
from .observe import observe
from .options import set_options
from .part import cut  # called by name
from .purity import impurities
from .runtime import interpreter
from .subgraphs import require_first

__all__ = ["correct", "cut", "has_reduced", "load", "patch", "reduced", "restore", "with_own_biases"]
_FILLERS = (1, 32, 224)  # a window may need more than one place


class TfliteModel:
    """An interpreter, fed one sample at a time with the batch that the file was allocated for."""

    def __init__(self, request: ModelRequest) -> None:
        content = self._content = Path(request.path).read_bytes()
        inspect_tflite(request, content)
        try:
            key, inputs = self._prepare(content, request)
        except (ValueError, RuntimeError) as error:
            text = " ".join(str(error).split())[:240]
            raise UnusableInput(f"{request.path}: the TFLite interpreter cannot load it: {text}") from error
        self._key = key
        self._inputs = self._named(self._interpreter.get_input_details(), key, "inputs")
        if not self._inputs:
            raise UnusableInput(f"{request.path}: takes no inputs: there is nothing to verify it on")
        self._outputs = self._named(self._interpreter.get_output_details(), key, "outputs")
        self._signature = Signature(
            inputs,
            tuple(
                replace(_spec(name, detail, _output_sizes(detail)), position=index)
                for (name, detail), index in zip(
                    self._outputs.items(),
                    self._places(self._outputs, self._interpreter.get_output_details()),
                    strict=True,
                )
            ),
        )

    def _prepare(self, content: bytes, request: ModelRequest) -> tuple[str, tuple[TensorSpec, ...]]:
        """Load, resize and allocate; without XNNPACK where that cannot follow a resize and the plain kernels can.

        Returns:
            The signature's key, "" where there is none, and the inputs.
        """
        refused: RuntimeError | None = None
        for filler, delegate in product(_FILLERS, (True, False)):
            self._interpreter = interpreter(content, delegate, runtime=request.runtime)
            signatures = self._interpreter.get_signature_list()
            key = "serving_default" if "serving_default" in signatures else next(iter(signatures), "")
            require_first(request.path, content, key)
            inputs = self._resize(request, key, filler)
            try:
                self._interpreter.allocate_tensors()
                return key, inputs
            except RuntimeError as error:
                refused = refused or error
            if not any(size is None for spec in inputs for size in spec.shape[1:]) and not delegate:
                break
        raise refused or RuntimeError("not allocated")

    @staticmethod
    def _places(named: dict[str, dict[str, Any]], listed: list[dict[str, Any]]) -> list[int | None]:
        """Where the graph lists each tensor, which callers without a signature count."""
        order = [detail["index"] for detail in listed]
        return [order.index(detail["index"]) if detail["index"] in order else None for detail in named.values()]

    def signature(self) -> Signature:
        """Inputs and outputs; a batch that the file declares free is fed one by one all the same."""
        return self._signature

    def predict(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of a batch, allocated size after allocated size; in one run where an output has its batch elsewhere or none."""
        sizes = {int(detail["shape"][0]) if len(detail["shape"]) else 1 for detail in self._inputs.values()}
        batch = max(sizes)
        count = max((len(array) for array in feeds.values() if array.ndim), default=1)
        if any(_batch_behind(detail) for detail in self._outputs.values()):
            batch = self._allocated(batch, count)
        elif any(_front(detail) > 0 for detail in self._outputs.values()):
            batch = self._at_once(batch, count)
        collected: dict[str, list[np.ndarray]] = {name: [] for name in self._outputs}
        for start in range(0, count, batch):
            for name, detail in self._inputs.items():
                array = feeds[name]
                self._interpreter.set_tensor(detail["index"], array[start : start + batch] if array.ndim else array)
            self._interpreter.invoke()
            for name, detail in self._outputs.items():
                collected[name].append(self._interpreter.get_tensor(detail["index"]))
        return {name: joined(parts) for name, parts in collected.items()}

    def _allocated(self, batch: int, count: int) -> int:
        """Samples that a run takes: all, where the file leaves the batch of every input free and can be given so many."""
        free = [detail for detail in self._inputs.values() if len(detail["shape"]) and detail["shape_signature"][0] < 0]
        if len(free) < len(self._inputs):
            return batch
        for detail in free:
            self._interpreter.resize_tensor_input(detail["index"], [count, *detail["shape"][1:]])
        try:
            self._interpreter.allocate_tensors()
        except RuntimeError as error:
            text = " ".join(str(error).split())[:240]
            raise UnusableInput(f"the TFLite interpreter cannot be given {count} samples at once: {text}") from error
        return count

    def _at_once(self, batch: int, count: int) -> int:
        """Samples that a run takes: all, where an output whose file says no batch then really has none or as many."""
        try:
            taken = self._allocated(batch, count)
            details = {detail["index"]: list(detail["shape"]) for detail in self._interpreter.get_output_details()}
            fixed = [detail for detail in self._outputs.values() if _front(detail) > 0]
            if all(
                details[detail["index"]] in (list(own := detail["shape_signature"]), [count, *own[1:]])
                for detail in fixed
            ):
                return taken
        except UnusableInput:
            pass
        return self._allocated(batch, batch)

    def intermediates(self, feeds: dict[str, np.ndarray]) -> list[Intermediate]:
        """What its operators give; see `observe`."""
        return observe(self._content, {detail["index"]: (name, feeds[name]) for name, detail in self._inputs.items()})

    def impurities(self) -> list[str]:
        """What its outputs depend on beside its inputs; see `purity`."""
        return impurities(self._content)

    def others(self) -> list[str]:
        """Signatures beside the one that runs."""
        return sorted(name for name in self._interpreter.get_signature_list() if name != self._key)

    def _resize(self, request: ModelRequest, key: str, filler: int) -> tuple[TensorSpec, ...]:
        """Give free dimensions other than the batch the size of the shape given, or of the first candidate that fits.

        Those for which there is none stay free, and are `filler` long meanwhile.
        """
        inputs = self._named(self._interpreter.get_input_details(), key, "inputs")
        declared = [_spec(name, detail, list(detail["shape_signature"])) for name, detail in inputs.items()]
        indices = self._places(inputs, self._interpreter.get_input_details())
        declared = [replace(spec, position=index) for spec, index in zip(declared, indices, strict=True)]
        settled = with_given_shapes(declared, request)
        for before, after, detail in zip(declared, settled, inputs.values(), strict=True):
            sizes = [size or (filler if axis else 1) for axis, size in enumerate(after.shape)]
            if before != after or sizes != list(detail["shape"]):
                self._interpreter.resize_tensor_input(detail["index"], sizes)
        return settled

    def _named(self, details: list[dict[str, Any]], key: str, side: str) -> dict[str, dict[str, Any]]:
        """Tensor details by signature name where the file has one (in the order of the names), else by tensor name."""
        if not key:
            names = [detail["name"] for detail in details]
            names = [n if names.count(n) == 1 else f"{n}_{position}" for position, n in enumerate(names)]
            return dict(zip(names, details, strict=True))
        runner = self._interpreter.get_signature_runner(key)
        named = runner.get_input_details() if side == "inputs" else runner.get_output_details()
        by_index = {detail["index"]: detail for detail in details}
        return {name: by_index.get(named[name]["index"], named[name]) for name in sorted(named, key=natural_order)}


class MicroModel(TfliteModel):
    """The interpreter for microcontrollers, with the interface that LiteRT reads of the file."""

    def __init__(self, request: ModelRequest) -> None:
        super().__init__(request)
        self._micro = micro.interpreter(self._content)

    def predict(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of a batch, one call after another of as many samples as the file fixes."""
        return micro.predict(self._micro, self._signature, feeds)


def load(request: Mapping[str, Any]) -> TfliteModel:
    """Open a .tflite file."""
    wanted = ModelRequest.from_json(request)
    return MicroModel(wanted) if wanted.runtime == Runtime.TFLM else TfliteModel(wanted)


def _batch_behind(detail: dict[str, Any]) -> bool:
    """Whether an output's sizes say that the batch is not in front: more than one there, whatever it is given, and a free size behind."""
    return _front(detail) > 1 and any(size < 0 for size in detail["shape_signature"][1:])


def _front(detail: dict[str, Any]) -> int:
    """The size in front that a file declares; below zero where it is free, 0 of a number."""
    return int(next(iter(detail["shape_signature"]), 0))


def _output_sizes(detail: dict[str, Any]) -> list[int]:
    """Sizes of an output as it is allocated; -1 where it may be known only after a run: the file leaves it free, and 1 stands for that."""
    declared = list(detail["shape_signature"])
    sizes = [int(size) for size in detail["shape"]]
    if len(declared) != len(sizes):
        return sizes
    return [
        -1 if axis and own < 0 and size == 1 else size
        for axis, (own, size) in enumerate(zip(declared, sizes, strict=True))
    ]


def _spec(name: str, detail: dict[str, Any], sizes: list[int]) -> TensorSpec:
    """A tensor of the sizes given; below zero, and a batch that the file declares so, are free."""
    declared = list(detail["shape_signature"])
    shape = tuple(
        None if size < 0 or (axis == 0 and declared and declared[0] < 0) else int(size)
        for axis, size in enumerate(sizes)
    )
    parameters = detail["quantization_parameters"]
    quantization = None
    if len(parameters["scales"]) == 1 and np.issubdtype(detail["dtype"], np.integer):
        quantization = Quantization(float(parameters["scales"][0]), int(parameters["zero_points"][0]))
    return TensorSpec(
        name, shape, np.dtype(detail["dtype"]).name, "NHWC" if len(shape) in (4, 5) else None, quantization
    )


def patch(request: Mapping[str, Any], changes: str, target: str) -> None:
    """Write the file with other buffers and operator options, through TFLite's own schema.

    Raises:
        UnusableInput: a changed weight is not found as float32 in one buffer, or an attribute not in one operator.
    """
    wanted = Changes.load(changes)
    model = precision.read(ModelRequest.from_json(request).path)
    tensors = {}
    for number, graph in enumerate(model.subgraphs):
        for tensor in graph.tensors:
            data = model.buffers[tensor.buffer].data
            if data is not None and tensor.type == schema.TensorType.FLOAT32:
                values = np.frombuffer(bytes(data), np.float32)
                shape = tuple(tensor.shape) if tensor.shape is not None else ()
                if values.size == int(np.prod(shape)):
                    tensors[f"{number}:{tensor.buffer}"] = values.reshape(shape)
    for name, value in replacements(tensors, wanted.constants).items():
        model.buffers[int(name.partition(":")[2])].data = np.frombuffer(value.tobytes(), np.uint8)
    set_options(model, wanted.attributes)
    precision.write(model, target)


def activations(request: Mapping[str, Any]) -> str:
    """The type that most operators of a file give their results in: `int8`, `int16`, `float32`."""
    return stored.activations(ModelRequest.from_json(request).path)


def stored_otherwise(request: Mapping[str, Any], other: str) -> list[dict[str, Any]]:
    """The tensors that a quantised file stores otherwise than another one of the same model; see `stored`."""
    return stored.stored_otherwise(ModelRequest.from_json(request).path, other)


def stored_as(request: Mapping[str, Any], other: str, names: list[str], target: str) -> None:
    """Write the file with some tensors stored as another file stores them; see `stored`."""
    stored.stored_as(ModelRequest.from_json(request).path, other, names, target)


def means_by_operator(request: Mapping[str, Any]) -> dict[str, Any]:
    """What ai-edge-quantizer can make of each operator; see `recipes`."""
    return recipes.means_by_operator(ModelRequest.from_json(request).path)


def quantize(request: Mapping[str, Any], recipe: dict[str, list[str]], io: str, target: str) -> dict[str, Any]:
    """Write the file of a calibrated float one by a recipe of each operator's own; see `recipes`."""
    return recipes.quantize(ModelRequest.from_json(request).path, recipe, io, target)


def medians(request: Mapping[str, Any], others: list[str], calls: int) -> dict[str, Any]:
    """How long a call of a file takes, and of others; see `latency`."""
    return latency.medians([ModelRequest.from_json(request).path, *others], calls)


def has_reduced(request: Mapping[str, Any]) -> bool:
    """Whether constants are stored with fewer bits than the operators compute in."""
    return precision.has_reduced(ModelRequest.from_json(request).path)


def reduced(request: Mapping[str, Any], twin: str) -> list[dict[str, Any]]:
    """Constants stored with fewer bits than those of the float twin; see `precision.reduced`."""
    return precision.reduced(ModelRequest.from_json(request).path, twin)


def restore(request: Mapping[str, Any], twin: str, which: list[int], target: str) -> None:
    """Write the file with some reduced constants as float32 again; see `precision.restore`."""
    precision.restore(ModelRequest.from_json(request).path, twin, which, target)
