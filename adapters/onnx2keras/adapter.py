"""ONNX → Keras with onnx2keras, channels last, saved as a `.keras` that needs neither the converter nor any code.

A graph with image operators goes through `change_ordering=True` and its inputs become channels last. Where the ONNX
graph was channels last itself (a Transpose behind its input, as from TensorFlow), that Transpose is taken off first, so
that the Keras model has the order of the original. As a drop-in, with arguments of its own, it reorders where it is told to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import onnx
from onnx2keras import onnx_to_keras
from onnx2keras.layers import AVAILABLE_CONVERTERS

from safeconvert.adapter_api.layouts import require_layouts
from safeconvert.adapter_api.protocol import ConvertReply, ConvertRequest, Permutation, channels_last
from safeconvert.graph.boundary_transposes import has_layout, peel_input_transposes, peel_output_transposes
from safeconvert.rewrite.legalize import legalise, preloaded, rules_of

from .._shared.keras_named import keep_free
from .reorder import axes_by_rank
from .standalone import without_lambdas

PRELOADED = preloaded(__file__)


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert and save; says which inputs and outputs became channels last."""
    step = ConvertRequest.from_json(request)
    own = dict(step.arguments)
    legal = legalise(onnx.load(step.model.path), rules_of(__file__), frozenset(AVAILABLE_CONVERTERS))
    model = legal.model
    reorder = own.pop("change_ordering", has_layout(model))
    inputs_peeled: dict[str, bool] = {}
    outputs_peeled: dict[str, bool] = {}
    if reorder:
        model, inputs_peeled = peel_input_transposes(model)
        model, outputs_peeled = peel_output_transposes(model)
    initializers = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in initializers]
    declared = [[dim.dim_value or None for dim in value.type.tensor_type.shape.dim][1:] for value in inputs]
    sizes = {} if step.keep_open else _sizes(step, inputs_peeled)
    shapes = own.pop("input_shapes", [list(sizes.get(v.name, d)) for v, d in zip(inputs, declared, strict=True)])
    keep_free(name.replace("/", "_") for name in (*_tensors(model), *(value.name for value in inputs)))
    with axes_by_rank():
        converted = onnx_to_keras(
            model,
            [value.name for value in inputs],
            input_shapes=shapes,
            change_ordering=reorder,
            **{"verbose": False, **own},
        )
    keras_model = without_lambdas(converted)
    keras_model.save(step.target)
    reply = ConvertReply(
        inputs=tuple(
            _moved(len(shape) + 1, reorder and not inputs_peeled.get(value.name, False))
            for value, shape in zip(inputs, shapes, strict=True)
        ),
        outputs=tuple(
            _moved(len(tensor.shape), reorder and not outputs_peeled.get(value.name, False))
            for value, tensor in zip(model.graph.output, keras_model.outputs, strict=True)
        ),
        notes=(*legal.notes(), *(("change_ordering=True",) if reorder else ())),
    )
    require_layouts(reply, [value.name for value in inputs], [value.name for value in model.graph.output], step)
    return reply.to_json()


def _tensors(model: onnx.ModelProto) -> Iterator[str]:
    """What layers are called by: the results of the nodes."""
    return (name for node in model.graph.node for name in node.output)


def _sizes(step: ConvertRequest, peeled: Mapping[str, bool]) -> dict[str, tuple[int | None, ...]]:
    """The sizes of the inputs behind the batch; channels come first where a Transpose was taken off."""
    if step.signature is None:
        return {}
    behind = {spec.name: spec.shape[1:] for spec in step.signature.inputs}
    return {name: (*sizes[-1:], *sizes[:-1]) if peeled.get(name, False) else sizes for name, sizes in behind.items()}


def _moved(rank: int, reordered: bool) -> Permutation | None:
    """What change_ordering does to a tensor: the channel axis goes last."""
    if not reordered or rank < 3:
        return None
    return channels_last(rank)
