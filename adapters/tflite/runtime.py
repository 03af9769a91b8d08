"""The interpreter that runs a .tflite file: LiteRT, which is what apps ship, or TensorFlow's where a file needs it.

LiteRT starts without TensorFlow. A file with TensorFlow's own operators (TF Select, custom codes that begin with `Flex`) needs
the Flex delegate, which only TensorFlow's interpreter brings along on a desktop.
"""

from __future__ import annotations

import os
from typing import Any

from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from safeconvert.core.runtimes import Runtime


def interpreter(content: bytes, delegate: bool = True, keep: bool = False, runtime: str = "") -> Any:
    """An interpreter with the file loaded and nothing allocated yet.

    Args:
        content: of the file.
        delegate: XNNPACK computes what it can, as in apps; False leaves all to the plain kernels.
        keep: no tensor's memory is used again, so that all can be read after a run.
        runtime: a `Runtime` other than LiteRT with XNNPACK; Micro's is in `micro`.

    Raises:
        ValueError, RuntimeError: no TFLite file.
    """
    threads = os.cpu_count() or 1
    if needs_flex(content) or runtime == Runtime.TENSORFLOW:
        import tensorflow as tf

        return tf.lite.Interpreter(model_content=content, num_threads=threads, experimental_preserve_all_tensors=keep)
    kernels = (
        OpResolverType.AUTO
        if delegate and runtime != Runtime.PLAIN
        else OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    )
    return Interpreter(
        model_content=content,
        num_threads=threads,
        experimental_op_resolver_type=kernels,
        experimental_preserve_all_tensors=keep,
    )


def needs_flex(content: bytes) -> bool:
    """Whether operators of TensorFlow stand in a file; False for what is no TFLite file at all."""
    if not schema.Model.ModelBufferHasIdentifier(content, 0):
        return False
    model = schema.Model.GetRootAs(content)
    codes = (model.OperatorCodes(number).CustomCode() for number in range(model.OperatorCodesLength()))
    return any(code is not None and code.startswith(b"Flex") for code in codes)
