"""Which reader reads a format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import onnx

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.keras.reader import read_keras
from safeconvert.prove.readers.tf.reader import read_tf
from safeconvert.prove.readers.tflite.reader import read_tflite
from safeconvert.prove.readers.torch.reader import read_torch
from safeconvert.prove.readers.torchscript.archive import is_script
from safeconvert.prove.readers.torchscript.reader import read_torchscript
from safeconvert.prove.readers.writer import Input

READERS: Mapping[str, Callable[[bytes], onnx.ModelProto]] = {
    "keras": read_keras,
    "tflite": read_tflite,
}


def read_native(path: Path, format_name: str, inputs: Sequence[Input] = ()) -> onnx.ModelProto:
    """A native file as an ONNX graph.

    Args:
        path: the file.
        format_name: its format.
        inputs: what it is fed, of a file that does not say so itself.

    Raises:
        Refused: its reader does not know something, which is named.
    """
    if format_name == "tf" and path.is_dir():
        return read_tf(path)
    if format_name == "torch" and path.is_file():
        return read_torchscript(path.read_bytes(), inputs) if is_script(path) else read_torch(path)
    if format_name not in READERS or not path.is_file():
        raise Refused(f"no reader of {path.name}")
    return READERS[format_name](path.read_bytes())
