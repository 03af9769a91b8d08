"""Trace Keras models without functions that tf2onnx leaves behind.

Keras 3.15 wraps a Conv of several groups in a function compiled by XLA, since TensorFlow's CPU kernel does not run it. tf2onnx
1.17 leaves it as StatefulPartitionedCall, which is no ONNX operator; a Conv of ONNX has groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf


@contextmanager
def plainly_traced() -> Iterator[None]:
    """Within, functions compiled by XLA are traced as part of what calls them."""
    function = tf.function

    def traced(func: Any = None, *rest: Any, **options: Any) -> Any:
        if not options.get("jit_compile"):
            return function(func, *rest, **options)
        return (lambda inner: inner) if func is None else func

    tf.function = traced
    try:
        yield
    finally:
        tf.function = function
