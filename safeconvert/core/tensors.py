"""The numbers of an ONNX tensor, wherever they lie: in it, or in a file that it names by an absolute path."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

_NUMBER = re.compile("[0-9]{1,18}")
_WHOLE_BYTES = {
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.BOOL, TensorProto.INT8, TensorProto.INT16,
    TensorProto.INT32, TensorProto.INT64, TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64,
}  # fmt: skip


def is_reference(tensor: TensorProto) -> bool:
    """Whether a tensor only says where its numbers lie."""
    return bool(tensor.data_location == TensorProto.EXTERNAL)


def array_of(tensor: TensorProto) -> np.ndarray[Any, Any]:
    """The numbers of a tensor; mapped, and read-only, where it is a reference. Raises OSError where its file is gone or too short."""
    if not is_reference(tensor):
        return np.asarray(numpy_helper.to_array(tensor))
    path, offset, length = place_of(tensor)
    if path.stat().st_size < offset + length:
        raise OSError(f"{path}: shorter than initializer {tensor.name} says")
    return np.memmap(path, helper.tensor_dtype_to_np_dtype(tensor.data_type), "r", offset, tuple(tensor.dims))


def place_of(tensor: TensorProto) -> tuple[Path, int, int]:
    """Where the numbers lie: file, offset and length in bytes. Raises OSError where an offset or a length is no number."""
    told = {entry.key: entry.value for entry in tensor.external_data}
    for key in ("offset", "length"):
        if not _NUMBER.fullmatch(str(told.get(key, "0"))):
            raise OSError(f"initializer {tensor.name}: {told[key]!r} as the {key} of its data")
    return Path(told.get("location", "")), int(told.get("offset", 0)), int(told.get("length", 0)) or size_of(tensor)


def size_of(tensor: TensorProto) -> int:
    """Bytes of all elements; 0 of those that fill no whole bytes."""
    if tensor.data_type not in _WHOLE_BYTES:
        return 0
    count = int(np.prod(tensor.dims, dtype=np.int64))
    return count * int(helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)
