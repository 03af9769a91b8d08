"""Open a Keras file without running code that lies in it."""

from __future__ import annotations

from typing import Any

import keras

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.formats import detect
from safeconvert.errors import UnusableInput

from .untrusted.keras_config import inspect_keras


def open_keras(request: ModelRequest) -> Any:
    """Load `.keras` or legacy `.h5` for inference.

    Raises:
        UnusableInput: damaged, holds a Lambda layer with code (without `--trust-pickle`), a class that is not Keras', or weights that
            lie in another file.
    """
    inspect_keras(request, detect(request.path).variant)
    try:
        return keras.models.load_model(request.path, compile=False, safe_mode=not request.trust_pickle)
    except (ValueError, TypeError, OSError, KeyError, AttributeError, RuntimeError) as error:
        text = " ".join(str(error).split())
        cause = text.rpartition("Exception encountered: ")[2][
            :240
        ]  # Keras says the layer's complaint after the whole model's
        unsafe = "Lambda" in text or "safe_mode" in text or "unsafe" in text
        if unsafe and not request.trust_pickle:
            raise UnusableInput(
                f"{request.path}: holds a Lambda layer, which runs code of its own on load; refused",
                "rebuild the model with keras.ops or a registered layer, or pass --trust-pickle if you trust the file",
            ) from error
        if "Could not locate class" in text or "Unknown layer" in text:
            raise UnusableInput(
                f"{request.path}: needs a class that Keras does not have: {cause}",
                "save a model of Keras' own layers only",
            ) from error
        raise UnusableInput(f"{request.path}: Keras cannot load it: {cause}") from error


def as_functional(model: Any) -> Any:
    """A Sequential model as the functional one that it is.

    tf2onnx 1.17 asks a model for `output_names`, which Keras 3's Sequential does not have, and dies with a KeyError.
    """
    return keras.Model(model.inputs, model.outputs) if isinstance(model, keras.Sequential) else model
