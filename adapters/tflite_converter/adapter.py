"""Keras, SavedModel, frozen graph → TFLite with `tf.lite.TFLiteConverter`; built-in operators only."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from safeconvert.adapting import UNCHANGED, ConvertRequest
from safeconvert.formats import detect

from .._shared.keras_files import open_keras
from .._shared.tf_files import open_tf


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert; every input keeps its order of dimensions."""
    step = ConvertRequest.from_json(request)
    source = detect(step.model.path)
    if source.format == "keras":
        converter = tf.lite.TFLiteConverter.from_keras_model(open_keras(step.model))
    elif source.variant == "saved_model":
        key = open_tf(step.model).signature_key
        converter = tf.lite.TFLiteConverter.from_saved_model(step.model.path, signature_keys=[key])
    else:
        inputs, outputs = open_tf(step.model).tensor_names
        converter = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(
            step.model.path, [name.split(":")[0] for name in inputs], [name.split(":")[0] for name in outputs]
        )
    if step.optimize != "none":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if step.optimize == "float16":
        converter.target_spec.supported_types = [tf.float16]
    Path(step.target).write_bytes(converter.convert())
    return UNCHANGED.to_json()
