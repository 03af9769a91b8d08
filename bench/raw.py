"""Raw converter calls as their documentation shows them, for comparison: `python bench/raw.py PAIR SOURCE TARGET`.

Nothing of safeconvert runs here. Where two formats have no direct tool, the usual chain of two is called.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np


def torch2onnx(source: str, target: str) -> None:
    import torch

    if source.endswith(".pt2"):
        program = torch.export.load(source)
        torch.onnx.export(program, dynamo=True).save(target)
        return
    module = torch.jit.load(source).eval()
    size = 32 if "cifar" in source else 299 if "inception" in source else 224
    torch.onnx.export(module, (torch.zeros(1, 3, size, size),), target, dynamo=False, opset_version=17)


def onnx2keras(source: str, target: str) -> None:
    import onnx
    from onnx2keras import onnx_to_keras

    model = onnx.load(source)
    onnx_to_keras(model, [value.name for value in model.graph.input], change_ordering=True).save(target)


def onnx2torch(source: str, target: str) -> None:
    import declare_torchvision  # noqa: F401
    import onnx
    import torch
    from onnx2torch import convert

    model = onnx.load(source)
    shape = [d.dim_value or 1 for d in model.graph.input[0].type.tensor_type.shape.dim]
    torch.jit.trace(convert(model).eval(), torch.zeros(*shape)).save(target)


def _keras(source: str) -> object:
    import keras

    return keras.models.load_model(source, compile=False)


def _numpy() -> None:
    for name, kind in (("object", object), ("bool", np.bool_)):
        if name not in np.__dict__:
            setattr(np, name, kind)


def keras2onnx(source: str, target: str) -> None:
    _numpy()
    import tensorflow as tf
    import tf2onnx

    model = _keras(source)
    spec = tuple(tf.TensorSpec(i.shape, i.dtype, name=i.name) for i in model.inputs)
    tf2onnx.convert.from_function(
        tf.function(lambda *x: model(x[0] if len(x) == 1 else list(x))), input_signature=spec, output_path=target
    )


def keras2tf(source: str, target: str) -> None:
    _keras(source).export(target)


def keras2tflite(source: str, target: str) -> None:
    import tensorflow as tf

    Path(target).write_bytes(tf.lite.TFLiteConverter.from_keras_model(_keras(source)).convert())


def tf2tflite(source: str, target: str) -> None:
    import tensorflow as tf

    Path(target).write_bytes(tf.lite.TFLiteConverter.from_saved_model(source).convert())


def _command_tf2onnx(*arguments: str) -> None:
    _numpy()
    import tf2onnx.convert

    sys.argv = ["tf2onnx.convert", *arguments]
    tf2onnx.convert.main()


def tf_onnx(source: str, target: str) -> None:
    _command_tf2onnx("--saved-model", source, "--output", target)


def tflite_onnx(source: str, target: str) -> None:
    _command_tf2onnx("--tflite", source, "--output", target)


_STEPS = {
    "torch2onnx": [torch2onnx],
    "torch2keras": [torch2onnx, onnx2keras],
    "torch2tf": [torch2onnx, onnx2keras, keras2tf],
    "torch2tflite": [torch2onnx, onnx2keras, keras2tflite],
    "keras2onnx": [keras2onnx],
    "keras2torch": [keras2onnx, onnx2torch],
    "keras2tf": [keras2tf],
    "keras2tflite": [keras2tflite],
    "tf2onnx": [tf_onnx],
    "tf2torch": [tf_onnx, onnx2torch],
    "tf2keras": [tf_onnx, onnx2keras],
    "tf2tflite": [tf2tflite],
    "tflite2onnx": [tflite_onnx],
    "tflite2torch": [tflite_onnx, onnx2torch],
    "tflite2keras": [tflite_onnx, onnx2keras],
    "tflite2tf": [tflite_onnx, onnx2keras, keras2tf],
    "onnx2torch": [onnx2torch],
    "onnx2keras": [onnx2keras],
    "onnx2tf": [onnx2keras, keras2tf],
    "onnx2tflite": [onnx2keras, keras2tflite],
}
_SUFFIX = {
    "torch2onnx": ".onnx",
    "keras2onnx": ".onnx",
    "tf_onnx": ".onnx",
    "tflite_onnx": ".onnx",
    "onnx2keras": ".keras",
}


def main(pair: str, source: str, target: str) -> None:
    """Run the chain of a pair; an exception or a signal is the raw converter's."""
    steps = _STEPS[pair]
    with tempfile.TemporaryDirectory() as scratch:
        current = source
        for step in steps:
            last = step is steps[-1]
            made = target if last else f"{scratch}/{Path(source).stem}{_SUFFIX[step.__name__]}"
            step(current, made)
            current = made


if __name__ == "__main__":
    main(*sys.argv[1:])
