"""Functions that TFLite has no operator for, in those that it has, while a Keras model is traced for its converter.

Angles are atan2's, which is one of TFLite's; Erf is read off Gelu, which is x·(1 + erf(x / √2)) / 2. A SavedModel is traced already.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import keras.src.backend.tensorflow.math as keras_math
import keras.src.backend.tensorflow.numpy as keras_numpy
import tensorflow as tf

_LARGE = 1e4
"""From here on the square root of x² + 1 is x in float32, and the square overflows later."""


def _number(x: Any) -> Any:
    made = tf.convert_to_tensor(x)
    return made if made.dtype.is_floating else tf.cast(made, tf.float32)


def _leg(x: Any) -> Any:
    """√(1 - x²), NaN where x is no sine."""
    return tf.sqrt((1.0 - x) * (1.0 + x))


def _asinh(x: Any) -> Any:
    size = tf.abs(x)
    usual = tf.math.log(size + tf.sqrt(tf.square(size) + 1.0))
    return tf.sign(x) * tf.where(size > _LARGE, tf.math.log(size) + math.log(2.0), usual)


def _erf(x: Any) -> Any:
    wide = x * math.sqrt(2.0)
    gelu = 0.5 * wide * (1.0 + tf.math.erf(wide * math.sqrt(0.5)))
    return tf.where(tf.equal(x, 0.0), tf.zeros_like(x), 2.0 * gelu / wide - 1.0)


NUMPY: dict[str, Callable[[Any], Any]] = {
    "arctan": lambda x: tf.atan2(x, tf.ones_like(x)),
    "arcsin": lambda x: tf.atan2(x, _leg(x)),
    "arccos": lambda x: tf.atan2(_leg(x), x),
    "tan": lambda x: tf.sin(x) / tf.cos(x),
    "sinh": lambda x: 0.5 * (tf.exp(x) - tf.exp(-x)),
    "cosh": lambda x: 0.5 * (tf.exp(x) + tf.exp(-x)),
    "arcsinh": _asinh,
    "arccosh": lambda x: tf.math.log(x + tf.sqrt(x - 1.0) * tf.sqrt(x + 1.0)),
    "arctanh": lambda x: 0.5 * (tf.math.log1p(x) - tf.math.log1p(-x)),
}
"""By the name of the function of Keras' backend."""


_OPERATORS = re.compile(r"'tf\.(Atan|Asin|Acos|Tan|Sinh|Cosh|Asinh|Acosh|Atanh|Erf)' op")


def lacks(error: str) -> bool:
    """Whether a converter's message names an operator that there is a substitute for."""
    return _OPERATORS.search(error) is not None


@contextmanager
def substituted() -> Iterator[None]:
    """Have Keras' backend compute these in TFLite's operators."""

    def on_numbers(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: function(_number(x))

    with ExitStack() as stack:
        for name, function in NUMPY.items():
            stack.enter_context(patch.object(keras_numpy, name, on_numbers(function)))
        stack.enter_context(patch.object(keras_math, "erf", on_numbers(_erf)))
        yield
