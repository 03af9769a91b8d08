"""SavedModels whose operators tf2onnx lacks, or whose sizes TFLite learns only when it runs: `python signals.py FOLDER`."""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

PAIR = [tf.TensorSpec([None, 4], tf.float32, name=name) for name in ("x", "y")]
SOUND = [tf.TensorSpec([None, 256], tf.float32, name="x")]


def products(x, y):
    """x·log(y), x·log(1 + y) and x / y, which are 0 where x is, also where the other factor is no number."""
    kept = tf.nn.relu(x)
    return tf.concat([tf.math.xlogy(kept, y), tf.math.xlog1py(kept, tf.abs(y)), tf.math.xdivy(kept, y)], axis=-1)


def framed(x):
    """Overlapping frames, whose number TFLite computes."""
    return tf.signal.frame(x, 64, 32) * tf.signal.hann_window(64)


def turned(x):
    """The batch behind: nothing says so but the sizes."""
    return tf.transpose(tf.nn.softmax(x[:, :6]))


def spectrum(x):
    """Magnitudes and parts of a short-time Fourier transform, padded to a longer one."""
    made = tf.signal.stft(x, 60, 32, fft_length=64)
    return tf.concat([tf.abs(made), tf.math.real(made), tf.math.imag(made)], axis=-1)


WEIGHTS = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)


def anchored(x):
    """Scores, and beside them a table that is no longer for more samples."""
    return {"scores": x @ tf.constant(WEIGHTS), "anchors": tf.constant(WEIGHTS[:3]) * 1.0}


def mixed_types(x, i):
    """Operators of indices beside others: which input holds integers is seen from neither shapes nor names of a traced file."""
    made = x @ tf.constant(WEIGHTS)
    return {
        "hot": tf.reduce_sum(tf.one_hot(i % 5, 5, axis=0), 3),
        "modulo": tf.math.floormod(i - 3, 4),
        "remainder": tf.math.floormod(made, 0.7),
        "angle": tf.atan2(made, x),
        "segments": tf.transpose(tf.math.segment_max(tf.transpose(made), tf.constant([0, 0, 1, 1]))),
    }


folder = Path(sys.argv[1])
ONE = [tf.TensorSpec([None, 4], tf.float32, name="x")]
WITH_INDICES = [*ONE, tf.TensorSpec([None, 4, 2], tf.int32, name="i")]
for function, specs in (
    (products, PAIR), (framed, SOUND), (spectrum, SOUND), (turned, SOUND), (anchored, ONE), (mixed_types, WITH_INDICES),
):  # fmt: skip
    module = tf.Module()
    module.call = tf.function(function, input_signature=specs)
    tf.saved_model.save(module, str(folder / function.__name__), signatures=module.call)
