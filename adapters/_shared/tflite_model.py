"""A `.tflite` file as flatbuffer objects, with all numbers in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from safeconvert.errors import UnusableInput

_INSIDE = 1  # offsets up to here say that the numbers lie in the flatbuffer


def model_of(content: bytes) -> Any:
    """A file's model; numbers that lie behind the flatbuffer, as ai-edge-quantizer writes them from 256 KiB on, are put into it.

    Raises:
        UnusableInput: such numbers lie outside of the file.
    """
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    for place, buffer in enumerate(model.buffers or []):
        if buffer.offset > _INSIDE:
            end = buffer.offset + buffer.size
            if end > len(content):
                raise UnusableInput(f"buffer {place} lies outside of the file", "the file is damaged: convert it again")
            buffer.data = np.frombuffer(content, np.uint8, buffer.size, buffer.offset)
            buffer.offset = buffer.size = 0
    return model
