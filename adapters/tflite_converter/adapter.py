"""Keras, SavedModel, frozen graph → TFLite with `tf.lite.TFLiteConverter`; built-in operators only, unless others are allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.python.convert_phase import ConverterError

from safeconvert.adapter_api.protocol import UNCHANGED, ConvertReply, ConvertRequest
from safeconvert.core.formats import detect

from .._shared.keras_files import open_keras
from .._shared.keras_for_tflite import spelled_out
from .._shared.keras_named import by_output_name
from .._shared.keras_variants import half_types, in_float32, unrolled
from .._shared.tf_files import open_tf
from .._shared.tflite_interface import in_signature_order
from .quantize import calibrate, operators, quantize, quantize_int16x8  # called by name
from .ranges import narrower_ranges, with_ranges  # called by name
from .reasons import reason
from .substitutes import lacks, substituted

__all__ = [
    "calibrate",
    "convert",
    "narrower_ranges",
    "operators",
    "quantize",
    "quantize_int16x8",
    "with_ranges",
]


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert; every input keeps its order of dimensions."""
    step = ConvertRequest.from_json(request)
    source = detect(step.model.path)
    inputs: list[str] = []
    outputs: tuple[str, ...] = ()
    reply = UNCHANGED
    if source.format == "keras":
        model = open_keras(step.model)
        inputs = [tensor.name for tensor in getattr(model, "inputs", None) or []]
        if not step.arguments:
            model, reply = _convertible(model, step)
            if step.signature is None:  # a converter made it and gave its outputs the source's names
                model, outputs = by_output_name(model)
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
    elif source.variant == "saved_model":
        key, tags = open_tf(step.model).signature_key, step.model.part.tags
        converter = tf.lite.TFLiteConverter.from_saved_model(
            step.model.path, signature_keys=[key], tags=set(tags) or None
        )
    else:
        file = open_tf(step.model)
        taken, given = file.tensor_names
        frozen = Path(step.target).with_name("frozen.pb")
        frozen.write_bytes(file.graph_def.SerializeToString())
        converter = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(
            str(frozen), [name.split(":")[0] for name in taken], [name.split(":")[0] for name in given]
        )
        frozen.unlink()
    if step.arguments:
        _set(converter, step.arguments if step.optimize != "none" else _float(step.arguments))
    elif step.optimize != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if step.select_tf_ops and not step.arguments:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    if step.optimize == "float16" and not step.arguments:
        converter.target_spec.supported_types = [tf.float16]
    plain = source.format == "keras" and not step.arguments and not step.select_tf_ops
    content = _converted(converter, substitutable=plain)
    if not step.arguments:
        content = in_signature_order(content, inputs, outputs)
    Path(step.target).write_bytes(content)
    return replace(reply, obligations=(*reply.obligations, *_needs_flex(content))).to_json()


def _converted(converter: Any, substitutable: bool) -> bytes:
    """The file; where TFLite lacks functions and the model is traced by the converter, with substitutes for them.

    Raises:
        NotImplementedError: TFLite lacks an operator; the message names it.
    """
    try:
        return bytes(converter.convert())
    except ConverterError as error:
        if not substitutable or not lacks(str(error)):
            raise NotImplementedError(reason(str(error))) from error
    try:
        with substituted():
            return bytes(converter.convert())
    except ConverterError as error:
        raise NotImplementedError(reason(str(error))) from error


def _convertible(model: Any, step: ConvertRequest) -> tuple[Any, ConvertReply]:
    """The model as the converter takes it, and what a user has to know of that."""
    notes: tuple[str, ...] = ()
    obligations: tuple[str, ...] = ()
    kinds = half_types(model)
    if kinds:  # TFLite convolves no halves
        model = in_float32(model)
        obligations = (f"target computes in float32; source computes in {' and '.join(kinds)}",)
    steps = () if step.select_tf_ops else unrolled(model)
    if steps:
        notes = (f"recurrent layers written out step by step: {', '.join(steps)}",)
    model, written = spelled_out(model)
    notes = (*notes, *written)
    return model, replace(UNCHANGED, notes=notes, obligations=obligations)


def _needs_flex(content: bytes) -> tuple[str, ...]:
    """The obligation that comes with TensorFlow's own operators in a file."""
    model = schema.Model.GetRootAs(content)
    codes = [model.OperatorCodes(index).CustomCode() for index in range(model.OperatorCodesLength())]
    names = sorted(code.decode() for code in codes if code and code.startswith(b"Flex"))
    return (f"target needs the Flex delegate (TF Select) wherever it runs, for {', '.join(names)}",) if names else ()


def _float(own: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments without what stores or computes in fewer bits: those of the float twin that a reduced file is repaired from."""
    if not own["optimizations"]:
        return dict(own)
    operators = [name for name in own["supported_ops"] if "INT8" not in name] or ["TFLITE_BUILTINS"]
    plain = {"optimizations": [], "supported_types": [], "representative_dataset": "", "supported_ops": operators}
    return {**own, **plain, "inference_input_type": "float32", "inference_output_type": "float32"}


def _set(converter: Any, own: Mapping[str, Any]) -> None:
    """Set a converter's attributes from arguments as the drop-in gives them: enumerations and types by their names."""
    converter.optimizations = [tf.lite.Optimize[name] for name in own["optimizations"]]
    converter.target_spec.supported_ops = {tf.lite.OpsSet[name] for name in own["supported_ops"]}
    converter.target_spec.supported_types = {tf.as_dtype(name) for name in own["supported_types"]}
    converter.inference_input_type = tf.as_dtype(own["inference_input_type"])
    converter.inference_output_type = tf.as_dtype(own["inference_output_type"])
    if own["representative_dataset"]:
        converter.representative_dataset = _samples(own["representative_dataset"])
    for name, value in own["attributes"].items():
        setattr(converter, name, value)


def _samples(path: str) -> Callable[[], Iterator[Any]]:
    """The generator that an `.npz` of `sample/input` holds; inputs by position or by name."""

    def generate() -> Iterator[Any]:
        with np.load(path, allow_pickle=False) as archive:
            samples: dict[str, dict[str, np.ndarray]] = {}
            for key in archive.files:
                number, _, name = key.partition("/")
                samples.setdefault(number, {})[name] = archive[key]
            for _, sample in sorted(samples.items()):
                yield (
                    sample
                    if not all(name.isdecimal() for name in sample)
                    else [sample[str(n)] for n in range(len(sample))]
                )

    return generate
