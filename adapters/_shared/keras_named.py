"""A Keras model whose outputs go by name, so that what is exported of it has these names and not `output_0`, `output_1`."""

from __future__ import annotations

from typing import Any

import keras


def by_output_name(model: Any) -> tuple[Any, tuple[str, ...]]:
    """The same layers with a dictionary of outputs, and its names in the order of the model's outputs.

    A SavedModel's or a TFLite file's signature takes its names from there. A model that is not functional, that has a dictionary
    already, or two outputs of one name, stays as it is, without names.
    """
    names = tuple(getattr(model, "output_names", None) or ())
    if not names or isinstance(model.output, dict) or len({*names}) != len(model.outputs):
        return model, ()
    return keras.Model(model.inputs, dict(zip(names, model.outputs, strict=True)), name=model.name), names
