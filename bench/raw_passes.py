"""The yardstick of `overhead.py`: TFLiteConverter, and one pass of each native model, as a person would write it.

`python bench/raw_passes.py SOURCE TARGET IMAGES COUNT` in a fresh process; images decoded and scaled once.
"""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image


def _pictures(folder: str, count: int) -> np.ndarray:
    names = islice(sorted(Path(folder).glob("*.[jJ]*")), count)
    resized = [Image.open(name).convert("RGB").resize((224, 224), Image.Resampling.BILINEAR) for name in names]
    return np.stack([np.asarray(picture, np.float32) for picture in resized]) / 127.5 - 1


def main(source: str, target: str, images: str, count: int) -> None:
    """Convert, run source and target on the images, print how many labels differ."""
    import keras
    import tensorflow as tf

    model = keras.models.load_model(source, compile=False)
    Path(target).write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    inputs = _pictures(images, count)
    ours = np.concatenate([np.asarray(model(inputs[i : i + 32], training=False)) for i in range(0, count, 32)])
    interpreter = tf.lite.Interpreter(target, num_threads=2)
    interpreter.allocate_tensors()
    slot, out = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    theirs = []
    for picture in inputs:
        interpreter.set_tensor(slot, picture[None])
        interpreter.invoke()
        theirs.append(interpreter.get_tensor(out)[0])
    print((ours.argmax(1) != np.stack(theirs).argmax(1)).sum(), "labels differ")


if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]))
