"""Trace Keras models into operators that tf2onnx knows.

Keras 3.15 wraps a Conv of several groups in a function compiled by XLA, since TensorFlow's CPU kernel does not run it, and says
the exact Gelu with Erfc. tf2onnx 1.17 leaves the one behind as StatefulPartitionedCall, which is no ONNX operator, and
does not know the other; both are plain in ONNX, where a Conv has groups and Erf exists.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf


@contextmanager
def plainly_traced() -> Iterator[None]:
    """Within, functions compiled by XLA are traced as part of what calls them, and Gelu as x / 2 * (1 + erf(x / sqrt 2))."""
    function, gelu = tf.function, tf.nn.gelu

    def traced(func: Any = None, *rest: Any, **options: Any) -> Any:
        if not options.get("jit_compile"):
            return function(func, *rest, **options)
        return (lambda inner: inner) if func is None else func

    def plain_gelu(features: Any, approximate: bool = False, name: str | None = None) -> Any:
        if approximate:
            return gelu(features, approximate, name)
        half, one, root = (tf.cast(value, features.dtype) for value in (0.5, 1.0, 0.5**0.5))
        return half * features * (one + tf.math.erf(features * root))

    tf.function, tf.nn.gelu = traced, plain_gelu
    try:
        yield
    finally:
        tf.function, tf.nn.gelu = function, gelu
