"""Whether two `.tflite` or two `.keras` files give the same on fresh inputs: `keras_answers.py ONE OTHER`; prints "same" or what differs.

Integers may be one step apart: two kernels round a half to either side.
"""

import sys

import keras
import numpy as np
import tensorflow as tf


def runner(path):
    """A file's inputs (shape and type of each), and the function from a list of arrays to a list of arrays."""
    if path.endswith(".keras"):
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
        taken = [([size or 3 for size in one.shape], np.dtype(one.dtype)) for one in model.inputs]
        return taken, lambda given: [np.asarray(one) for one in keras.tree.flatten(model(given, training=False))]
    interpreter = tf.lite.Interpreter(path)

    def run(given):
        for one, array in zip(interpreter.get_input_details(), given, strict=True):
            interpreter.resize_tensor_input(one["index"], array.shape)
        interpreter.allocate_tensors()
        for one, array in zip(interpreter.get_input_details(), given, strict=True):
            interpreter.set_tensor(one["index"], array)
        interpreter.invoke()
        return [interpreter.get_tensor(one["index"]) for one in interpreter.get_output_details()]

    taken = [([3 if size < 0 else int(size) for size in one["shape_signature"]], np.dtype(one["dtype"]))
             for one in interpreter.get_input_details()]  # fmt: skip
    return taken, run


(taken, ours), (_, theirs) = map(runner, sys.argv[1:])
worst = 0.0
for draw, (scale, shift) in enumerate(((1, 0), (1, 2), (1, -2), (0.01, 0), (30, 0))):
    random = np.random.default_rng(draw + 900)
    given = [
        random.integers(np.iinfo(dtype).min, np.iinfo(dtype).max, shape).astype(dtype)
        if dtype.kind in "iu"
        else (random.normal(size=shape) * scale + shift).astype(dtype)
        for shape, dtype in taken
    ]
    for one, other in zip(ours(given), theirs(given), strict=True):
        assert one.shape == other.shape, (one.shape, other.shape)
        apart = np.abs(one.astype("f8") - other.astype("f8"))
        steps = np.maximum(apart - 1, 0) if one.dtype.kind in "iu" else apart
        worst = max(worst, float(np.max(steps, initial=0)) / (float(np.abs(one.astype("f8")).max(initial=0)) or 1.0))
print("same" if worst < 2e-3 else f"{worst:.3g} of the largest value apart")
