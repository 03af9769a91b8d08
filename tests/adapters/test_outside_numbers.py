"""`.tflite` files whose numbers lie behind the flatbuffer, as ai-edge-quantizer writes them from 256 KiB on."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from safeconvert.errors import UnusableInput
from tests.command import ROOT
from tests.program import KERAS, run_program

sys.path.insert(0, str(ROOT))
from adapters.tflite import precision
from adapters.tflite_ops.adapter import written

pytestmark = pytest.mark.converters
PROGRAMS = Path(__file__).parent / "programs"


@pytest.mark.skipif(
    importlib.util.find_spec("ai_edge_quantizer") is None, reason="the extra `recipes` is not installed"
)
def test_a_file_by_a_recipe_is_whole_however_large(tmp_path: Path) -> None:
    found = json.loads(run_program(PROGRAMS / "large_recipe.py", tmp_path, modules=KERAS).splitlines()[-1])
    assert found["float"] == 1 and found["off"] < 0.05 * found["size"]


def outside(content: bytes) -> bytes:
    """The file with its numbers behind the flatbuffer."""
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    held = {
        place: bytes(buffer.data)
        for place, buffer in enumerate(model.buffers)
        if buffer.data is not None and len(buffer.data)
    }
    for buffer in (model.buffers[place] for place in held):
        buffer.data, buffer.offset, buffer.size = None, 1, 1
    end = -(-len(_packed(model)) // 16) * 16
    made = b""
    for place, numbers in held.items():
        model.buffers[place].offset, model.buffers[place].size = end + len(made), len(numbers)
        made += numbers + bytes(-len(numbers) % 16)
    front = _packed(model)
    return front + bytes(end - len(front)) + made


def _packed(model: object) -> bytes:
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")  # type: ignore[attr-defined]
    return bytes(builder.Output())


def given(content: bytes) -> np.ndarray:
    run = Interpreter(model_content=content)
    run.allocate_tensors()
    detail = run.get_input_details()[0]
    run.set_tensor(detail["index"], np.random.default_rng(0).integers(-128, 128, detail["shape"]).astype(np.int8))
    run.invoke()
    return run.get_tensor(run.get_output_details()[0]["index"])


def test_such_a_file_is_read_and_written_again_and_said_in_onnx(tmp_path: Path) -> None:
    run_program(PROGRAMS / "integers.py", tmp_path, "CONV_2D", modules=KERAS)
    inside, path = tmp_path / "CONV_2D.tflite", tmp_path / "outside.tflite"
    path.write_bytes(outside(inside.read_bytes()))
    expected = given(inside.read_bytes())
    assert np.array_equal(given(path.read_bytes()), expected), "LiteRT reads it"
    again = tmp_path / "again.tflite"
    precision.write(precision.read(str(path)), str(again))
    assert np.array_equal(given(again.read_bytes()), expected)
    assert written(str(path)).SerializeToString() == written(str(inside)).SerializeToString()
    path.write_bytes(path.read_bytes()[:-64])
    with pytest.raises(UnusableInput, match="outside of the file"):
        precision.read(str(path))
