"""Full-integer TFLite files of a float one: TensorFlow's own calibrator and quantizer, as `TFLiteConverter` calls them.

A float file is calibrated once; the quantizer then works on the calibrated file, as often as other operators are to stay in float
(`denylisted_nodes`, which `tf.lite.experimental.QuantizationDebugger` offers). int16x8 has a quantizer of its own, without such a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.python.convert import mlir_quantize
from tensorflow.lite.python.optimize import calibrator

from safeconvert.errors import UnusableInput

from .._shared.calibration_calls import calibration_calls
from .._shared.tflite_computed import computed, counted


def calibrate(path: str, feeds: Sequence[Sequence[str]], whole: bool, target: str) -> None:
    """Write a float file with the range of every activation on some inputs beside it.

    Args:
        path: a float `.tflite`.
        feeds: chunk by chunk an `.npy` file for each input, in the order of the file's inputs.
        whole: a chunk is one call, without a sample axis of its own.
        target: the calibrated file.
    """
    content = calibrator.add_intermediate_tensors(Path(path).read_bytes())
    made = calibrator.Calibrator(content).calibrate(_samples(path, feeds, whole))
    Path(target).write_bytes(made)


def quantize(path: str, keep: Sequence[str], io: str, target: str) -> dict[str, Any]:
    """Write the int8 file of a calibrated one.

    Args:
        path: as `calibrate` wrote it.
        keep: names of the operators that stay in float.
        io: what it takes and gives: float32, int8 or uint8.
        target: the `.tflite` to write.

    Returns:
        As `tflite_computed.counted`: in float are those of `keep` and those for which TFLite has no int8 kernel.
    """
    kind = tf.as_dtype(io)
    made = mlir_quantize(
        Path(path).read_bytes(),
        input_data_type=kind,
        output_data_type=kind,
        denylisted_nodes=list(keep) or None,
    )
    return _written(path, bytes(made), target)


def quantize_int16x8(path: str, feeds: Sequence[Sequence[str]], whole: bool, target: str) -> dict[str, Any]:
    """Write the file with int16 activations and int8 weights of a float one, float32 at its ends; see `calibrate`, `quantize`."""
    own = calibrator.Calibrator(calibrator.add_intermediate_tensors(Path(path).read_bytes()))
    kinds = (tf.float32, tf.float32, True, tf.int16, tf.int64)
    return _written(path, own.calibrate_and_quantize(_samples(path, feeds, whole), *kinds), target)


def operators(path: str) -> list[dict[str, Any]]:
    """The operators of a float file that the quantizer may quantise: `name`, of the first output, `kind`, `work` and `weights` as `computed` has them."""
    listed = computed(Path(path).read_bytes())
    return [
        {"name": one.name, "kind": one.kind, "work": one.work, "weights": one.weights} for one in listed if one.in_float
    ]


def _written(path: str, content: bytes, target: str) -> dict[str, Any]:
    """Write a quantised file, and say what is in it."""
    _require_interface(Path(path).read_bytes(), content)
    Path(target).write_bytes(content)
    return counted(content)


def _require_interface(before: bytes, after: bytes) -> None:
    """Raise UnusableInput where the quantizer gave a file another interface."""
    one, two = (schema.ModelT.InitFromPackedBuf(content, 0) for content in (before, after))
    for side in ("inputs", "outputs"):
        if len(getattr(one.subgraphs[0], side)) != len(getattr(two.subgraphs[0], side)):
            raise UnusableInput(f"the quantizer changed the number of {side}")
    if {each.signatureKey for each in one.signatureDefs or []} != {
        each.signatureKey for each in two.signatureDefs or []
    }:
        raise UnusableInput("the quantizer changed the signatures")


def _samples(path: str, feeds: Sequence[Sequence[str]], whole: bool) -> Callable[[], Iterator[list[np.ndarray]]]:
    """A generator of calls: of as many samples as the file fixes, one where it fixes none; what does not fill a call is left out."""
    details = tf.lite.Interpreter(path).get_input_details()
    fixed = [int(detail["shape_signature"][0]) for detail in details if len(detail["shape_signature"])]
    batch = max([size for size in fixed if size > 0], default=1)

    return partial(calibration_calls, feeds, whole, batch)
