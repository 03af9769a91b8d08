"""The yardstick of `overhead.py` and `cost.py`: the raw converter, and one pass of each native model, as a person would write it.

`python bench/raw_passes.py PAIR SOURCE TARGET IMAGES COUNT` in a fresh process; images decoded and scaled once, batches of 32. Of 0
images only the conversion.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import raw
from PIL import Image

_BATCH = 32
_MEAN, _DEVIATION = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
_Run = Callable[[np.ndarray], np.ndarray]


def _images(folder: str, count: int, torch_like: bool) -> np.ndarray:
    names = islice(sorted(Path(folder).glob("*.[jJ]*")), count)
    resized = [Image.open(name).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR) for name in names]
    stacked = np.stack([np.asarray(image, np.float32) for image in resized])
    return (stacked / 255 - _MEAN) / _DEVIATION if torch_like else stacked / 127.5 - 1


def _torch(path: str) -> _Run:
    import torch

    module = torch.jit.load(path).eval()

    def run(batch: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return module(torch.from_numpy(np.ascontiguousarray(batch.transpose(0, 3, 1, 2)))).numpy()

    return run


def _keras(path: str) -> _Run:
    import keras

    model = keras.models.load_model(path, compile=False)
    return lambda batch: np.asarray(model(batch, training=False))


def _tf(path: str) -> _Run:
    import tensorflow as tf

    function = tf.saved_model.load(path).signatures["serving_default"]
    name = next(iter(function.structured_input_signature[1]))
    return lambda batch: next(iter(function(**{name: tf.constant(batch)}).values())).numpy()


def _tflite(path: str) -> _Run:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(path, num_threads=2)
    interpreter.allocate_tensors()
    slot, out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def one(image: np.ndarray) -> np.ndarray:
        interpreter.set_tensor(slot, image[None])
        interpreter.invoke()
        return interpreter.get_tensor(out)[0]

    return lambda batch: np.stack([one(image) for image in batch])


def _onnx(path: str) -> _Run:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    taken = session.get_inputs()[0]
    first = taken.shape[1] == 3

    def run(batch: np.ndarray) -> np.ndarray:
        fed = np.ascontiguousarray(batch.transpose(0, 3, 1, 2)) if first else batch
        pieces = [fed] if not isinstance(taken.shape[0], int) else np.split(fed, len(fed))
        return np.concatenate([session.run(None, {taken.name: piece})[0] for piece in pieces])

    return run


_OPENED = {"torch": _torch, "keras": _keras, "tf": _tf, "tflite": _tflite, "onnx": _onnx}


def main(pair: str, source: str, target: str, images: str, count: int, other: str = "") -> None:
    """Convert, run source and target (or another that stands for it) on the images, print how many labels differ."""
    raw.main(pair, source, target)
    if count:
        ours, theirs = (
            _OPENED[name](path) for name, path in zip(pair.split("2"), (source, other or target), strict=True)
        )
        inputs = _images(images, count, pair.startswith("torch"))
        labels = [
            np.concatenate([run(inputs[i : i + _BATCH]) for i in range(0, count, _BATCH)]).argmax(-1)
            for run in (ours, theirs)
        ]
        print((labels[0] != labels[1]).sum(), "labels differ")


if __name__ == "__main__":
    main(*sys.argv[1:5], int(sys.argv[5]), *sys.argv[6:])
