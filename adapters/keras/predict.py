"""Calls of a Keras model in inference mode, traced once for every number of samples.

`predict_on_batch` traces a model for its first call and again for the first of another size, which takes longer than a call. Traced with the number of
samples left open, as `predict` traces it over a data set of any length, it is traced once.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf


class Predictor:
    """A model as it is called."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._traced: dict[tuple[tuple[str, tuple[int, ...]], ...], Any] = {}

    def __call__(self, packed: Any) -> list[np.ndarray]:
        """The outputs, flat, on arrays that are packed as the model takes them."""
        key = tuple((array.dtype.name, array.shape[1:]) for array in keras.tree.flatten(packed))
        if key not in self._traced:
            self._traced[key] = self._trace(packed) if self._leaves_samples_open() else None
        traced = self._traced[key]
        outputs = self._model.predict_on_batch(packed) if traced is None else traced(packed)
        return [np.asarray(output) for output in keras.tree.flatten(outputs)]

    def _leaves_samples_open(self) -> bool:
        """Whether all inputs declare any number of samples, and Keras itself would trace the model and not compile it for each size."""
        ends = [tuple(tensor.shape[:1]) for tensor in self._model.inputs]
        return not (self._model.run_eagerly or self._model.jit_compile) and all(end == (None,) for end in ends)

    def _trace(self, packed: Any) -> Any:
        """The function for arrays like these; None where a layer has to know the number of samples."""
        signature = keras.tree.map_structure(lambda array: tf.TensorSpec((None, *array.shape[1:]), array.dtype), packed)
        function = tf.function(lambda arrays: self._model.predict_step((arrays,)), input_signature=[signature])
        try:
            function.get_concrete_function()
        except Exception:  # noqa: BLE001 - a layer may raise anything; the call that knows the number has the last word
            return None
        return function
