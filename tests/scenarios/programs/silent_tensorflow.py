"""SavedModels with operators that real converters get wrong without a word: `silent_tensorflow.py FOLDER`."""

import sys

import tensorflow as tf

folder = sys.argv[1]


def saved(name, shape, dtype, function):
    module = tf.Module()
    module.f = tf.function(function, input_signature=[tf.TensorSpec(shape, dtype, name="x")])
    tf.saved_model.save(module, f"{folder}/{name}", signatures=module.f)


saved("floordiv", [None, 6], tf.int32, lambda x: {"y": x // 4})
saved("floormod", [None, 6], tf.int32, lambda x: {"y": x % 4})
saved("area", [None, 6, 6, 2], tf.float32, lambda x: {"y": tf.compat.v1.image.resize_area(x, [4, 4])})
saved(
    "scatter",
    [None, 3],
    tf.float32,
    lambda x: {"y": x + tf.scatter_nd([[1], [1], [2]], tf.reshape(x[0], [3, 1]) * [[1.0, 2.0, 3.0]], [5, 3])[1]},
)
saved(
    "unstack",
    [1, 12],
    tf.float32,
    lambda x: {"y": tf.reshape(tf.concat(tf.unstack(tf.reshape(x, [1, 3, 4]), axis=2), axis=1), [1, 12])},
)
saved("normalized", [3, 5], tf.float32, lambda x: {"y": tf.nn.l2_normalize(x)})
saved(
    "strided",
    [1, 8, 8, 2],
    tf.float32,
    lambda x: {"y": tf.nn.conv2d(x, tf.reshape(tf.range(2.0), [1, 1, 2, 1]), 3, "SAME")},
)
