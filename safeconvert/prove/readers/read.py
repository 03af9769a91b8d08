"""Which reader reads a format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import onnx

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.keras.reader import read_keras
from safeconvert.prove.readers.tf.reader import read_tf
from safeconvert.prove.readers.tflite.reader import read_tflite
from safeconvert.prove.readers.torch.reader import read_torch

READERS: Mapping[str, Callable[[bytes], onnx.ModelProto]] = {
    "keras": read_keras,
    "tflite": read_tflite,
    "torch": read_torch,
}


def read_native(path: Path, format_name: str) -> onnx.ModelProto:
    """A native file as an ONNX graph. Raises Refused, naming what its reader does not know."""
    if format_name == "tf" and path.is_dir():
        return read_tf(path)
    if format_name not in READERS or not path.is_file():
        raise Refused(f"no reader of {path.name}")
    return READERS[format_name](path.read_bytes())
