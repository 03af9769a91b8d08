"""Keras, SavedModel, frozen graph, checkpoint, TFLite → ONNX with tf2onnx' Python entry points, or as its own command."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import tensorflow as tf

if not hasattr(np, "object"):  # tf2onnx 1.17 still says np.object, which numpy 2 no longer has
    np.object = object  # type: ignore[attr-defined]

import tf2onnx

from safeconvert.adapter_api.protocol import ConvertRequest
from safeconvert.core.formats import detect

from .._shared.keras_files import as_functional, open_keras
from .._shared.plain_trace import plainly_traced
from .._shared.tf2onnx_lean import optimized_in_place
from .._shared.tf2onnx_moves import recorded_moves
from .._shared.tf_files import open_tf
from .._shared.tflite_interface import named_by_signature
from .._shared.untrusted.tflite_operators import inspect_tflite_file
from .command import run_command

_OPSET = 17


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert by the form of the source; dimensions move only where the arguments ask for it."""
    step = ConvertRequest.from_json(request)
    own = _arguments(step)
    with recorded_moves() as moves:
        if "command_line" in own:
            model = optimized_in_place(lambda: run_command(step))
        else:
            model = optimized_in_place(lambda: _from_python(step, dict(own)))
            _order_inputs(model.graph, [spec.name for spec in step.signature.inputs] if step.signature else [])
            _drop_counts(model.graph)
            onnx.save(model, step.target)
    moves.require_all()
    onnx.checker.check_model(step.target)
    return moves.reply(model, step.signature).to_json()


def _drop_counts(graph: onnx.GraphProto) -> None:
    """Take from the graph's description how many functions the process had traced before it, which no two runs have in common."""
    graph.doc_string = re.sub(r"(__inference_\w+?)_\d+", r"\1", graph.doc_string)


def _order_inputs(graph: onnx.GraphProto, names: list[str]) -> None:
    """Put the inputs in the source's order, where these are their names; tf2onnx goes through a set, whose order hashes decide."""
    by_name = {value.name: value for value in graph.input}
    if len(by_name) == len(graph.input) and set(by_name) == set(names):
        ordered = [by_name[name] for name in names]
        del graph.input[:]
        graph.input.extend(ordered)


def _from_python(step: ConvertRequest, own: dict[str, Any]) -> onnx.ModelProto:
    source = detect(step.model.path)
    opset = step.opset or (None if own else _OPSET)
    if source.format == "tflite":
        inspect_tflite_file(step.model)
        made = tf2onnx.convert.from_tflite(step.model.path, opset=opset, **own)[0]
        return made if own else named_by_signature(made, step.model.path)
    if source.format == "keras":
        model = as_functional(open_keras(step.model))
        named = [tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name) for tensor in model.inputs]
        signature = own.pop("input_signature", None) if own else named
        with plainly_traced():
            return tf2onnx.convert.from_keras(model, input_signature=signature, opset=opset, **own)[0]
    file = open_tf(step.model)
    if not file.signature_key:
        inputs, outputs = map(list, file.tensor_names)
        graph = tf2onnx.convert.from_graph_def(
            file.graph_def, input_names=inputs, output_names=outputs, opset=opset, **own
        )
        return graph[0]
    names = list(file.inputs)
    specs = [tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in file.inputs.items()]

    @tf.function(input_signature=specs)
    def call(*arguments: Any) -> Any:
        outputs = file.function(**dict(zip(names, arguments, strict=True)))
        return {name: outputs[name] for name in file.outputs}

    return tf2onnx.convert.from_function(call, input_signature=specs, opset=opset, **own)[0]


def _arguments(step: ConvertRequest) -> dict[str, Any]:
    """tf2onnx' arguments, with the objects that JSON cannot hold."""
    own = {key: value for key, value in step.arguments.items() if value is not None}
    if "input_signature" in own:
        own["input_signature"] = [
            tf.TensorSpec(shape, dtype, name=name) for shape, dtype, name in own["input_signature"]
        ]
    if "extra_opset" in own and "command_line" not in own:
        own["extra_opset"] = [onnx.helper.make_opsetid(domain, version) for domain, version in own["extra_opset"]]
    return own
