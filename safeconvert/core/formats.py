"""Tell a model file's format by its content; the extension is not asked. Standard library only, nothing is unpickled."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from safeconvert.core.cut import Cut, Remainder
from safeconvert.errors import UnusableInput

FORMATS = ("torch", "keras", "tf", "tflite", "onnx")
"""Names of the formats, in the order in which they are listed."""
TITLES = {"torch": "PyTorch", "keras": "Keras", "tf": "TensorFlow", "tflite": "TFLite", "onnx": "ONNX"}
"""What people call each format."""
SUFFIXES = {
    "torch": (".pt2", ".pt"),
    "keras": (".keras",),
    "tf": ("_saved_model",),
    "tflite": (".tflite",),
    "onnx": (".onnx",),
}
"""How a target's name may end; the first is the one that is given where none was asked for. A `tf` target is a folder."""
PAIRS = tuple((source, target) for source in FORMATS for target in FORMATS if source != target)
"""The 20 ordered pairs."""

_KNOWN = (
    "TorchScript .pt, ExportedProgram .pt2, state_dict .pth, .keras, .h5, SavedModel folder, frozen .pb, "
    "checkpoint .meta, .tflite, .onnx"
)


@dataclass(frozen=True)
class ModelFile:
    """A model file and what it holds.

    Attributes:
        path: absolute path.
        format: `torch`, `keras`, `tf`, `tflite` or `onnx`.
        variant: the form within the format: torchscript, exported_program, pickle, keras_v3, h5, saved_model,
            frozen_graph, checkpoint (its .meta file), tflite, onnx.
        given: what this is a copy of; None where it is none.
        sha256: of the copy when it was made.
        beside: of a copy, the files beside it that hold a part of it: name and SHA-256.
        part: of a file that was cut out of a model, of which and where; None of a whole model.
    """

    path: Path
    format: str
    variant: str
    given: Path | None = None
    sha256: str = ""
    beside: tuple[tuple[str, str], ...] = ()
    part: Part | None = None

    @property
    def whole(self) -> ModelFile:
        """The model that was given, also where this is a part of it."""
        return self.part.whole if self.part is not None else self

    @property
    def named(self) -> Path:
        """The file that the user knows."""
        return self.given or self.path


@dataclass(frozen=True)
class Part:
    """What a file is a part of.

    Attributes:
        whole: the model.
        cut: where it was cut.
        remainder: what is not in the part.
    """

    whole: ModelFile
    cut: Cut
    remainder: Remainder


def detect(path: Path | str) -> ModelFile:
    """The format of a model file or folder.

    Raises:
        UnusableInput: it does not exist, is empty, damaged, or of no known format. The message names it.
    """
    path = Path(path).absolute()
    try:
        if path.is_dir():
            return _detect_folder(path)
        size = path.stat().st_size
        if not path.is_file():
            raise UnusableInput(
                f"{path}: neither a file nor a folder", "a pipe or device must be copied to a file first"
            )
        with path.open("rb") as file:
            found = _detect_file(file, size)
    except FileNotFoundError:
        raise UnusableInput(f"{path}: no such file or folder") from None
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be read: {error.strerror}") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, struct.error) as error:
        raise UnusableInput(f"{path}: a damaged zip archive ({error})", "make or download the file again") from error
    if size == 0:
        raise UnusableInput(f"{path}: the file is empty", "make or download the file again")
    if found is None:
        raise UnusableInput(f"{path}: not a model file of a known format", f"known formats: {_KNOWN}")
    return ModelFile(path, *found)


def _detect_folder(path: Path) -> ModelFile:
    if (path / "saved_model.pb").is_file():
        if (path / "saved_model.pb").stat().st_size == 0:
            raise UnusableInput(f"{path / 'saved_model.pb'}: the file is empty", "make or download the folder again")
        return ModelFile(path, "tf", "saved_model")
    raise UnusableInput(f"{path}: a folder without saved_model.pb is no SavedModel", f"known formats: {_KNOWN}")


def _detect_file(file: BinaryIO, size: int) -> tuple[str, str] | None:
    head = file.read(64)
    if head[:4] == b"PK\x03\x04":
        return _detect_zip(file)
    if head[:8] == b"\x89HDF\r\n\x1a\n":
        return "keras", "h5"
    if head[4:8] == b"TFL3":
        return "tflite", "tflite"
    if head[:1] == b"\x80" and len(head) > 2 and 2 <= head[1] <= 5:
        return "torch", "pickle"
    fields = _protobuf_fields(file, size)
    if fields is None:
        return None
    if fields.get(7) == 2 and fields.get(8, 2) == 2 and fields.get(1, 0) == 0:
        return "onnx", "onnx"
    if fields.get(2) == 2 and fields.get(3) == 2:  # graph_def and saver_def of a MetaGraphDef
        return "tf", "checkpoint"
    if fields.get(1) == 2 and set(fields) <= {1, 2, 3, 4, 5}:
        return "tf", "frozen_graph"
    return None


def _detect_zip(file: BinaryIO) -> tuple[str, str] | None:
    with zipfile.ZipFile(file) as archive:
        names = archive.namelist()
    tails = {name.partition("/")[2] for name in names} | set(names)
    if {"config.json", "model.weights.h5"} <= tails:
        return "keras", "keras_v3"
    if "archive_format" in tails or "serialized_exported_program.json" in tails or "models/model.json" in tails:
        return "torch", "exported_program"
    if any(tail.startswith("code/") for tail in tails) and "constants.pkl" in tails:
        return "torch", "torchscript"
    if "data.pkl" in tails:
        return "torch", "pickle"
    return None


def _protobuf_fields(file: BinaryIO, size: int) -> dict[int, int] | None:
    """Wire types of the top-level fields of a protobuf message, {number: type}; None where it is no whole message.

    Length-delimited fields are skipped by seeking, so that a file of gigabytes costs nothing. A length that reaches past
    the end of the file marks a truncated or foreign file.
    """
    fields: dict[int, int] = {}
    file.seek(0)
    while file.tell() < size:
        tag = _varint(file)
        if tag is None or tag >> 3 == 0 or tag >> 3 > 1000:
            return None
        wire = tag & 7
        fields[tag >> 3] = wire
        if wire == 0:
            if _varint(file) is None:
                return None
        elif wire == 2:
            length = _varint(file)
            if length is None or file.tell() + length > size:
                return None
            file.seek(length, 1)
        elif wire in (1, 5):
            file.seek(8 if wire == 1 else 4, 1)
        else:
            return None
        if file.tell() > size:
            return None
    return fields


def _varint(file: BinaryIO) -> int | None:
    value = 0
    for position in range(10):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << (7 * position)
        if not byte[0] & 0x80:
            return value
    return None
