"""A wrong number in the quantisation of a `.tflite` file: refused, named by its tensor, and repaired by quantising anew."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from tests.command import Called, safeconvert
from tests.program import KERAS, run_program

pytestmark = [pytest.mark.converters, pytest.mark.slow]
PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("labelled")
    run_program(PROGRAMS / "labelled_net.py", made, modules=KERAS)
    called = safeconvert(
        "keras2tflite",
        made / "even.keras",
        "-o",
        made / "right.tflite",
        "--optimize",
        "int8",
        "--no-repair",  # integers throughout, where any layer can be spoiled
        *data(made),
        "--search",
        0,
    )
    assert called.code == 0, called.text
    return made


def data(folder: Path) -> tuple[object, ...]:
    return "--inputs", folder / "even" / "inputs.npy", "--max-drop", 0.05, "--json"


def scaled(right: Path, wrong: Path) -> str:
    """The file with the weights of its second layer twenty times as large; the name of their tensor."""
    model = schema.ModelT.InitFromPackedBuf(right.read_bytes(), 0)
    graph = model.subgraphs[0]
    layers = [op for op in graph.operators if len(op.inputs) == 3]
    weights, bias = (graph.tensors[int(number)] for number in layers[1].inputs[1:])
    for tensor in (weights, bias):
        tensor.quantization.scale = (np.asarray(tensor.quantization.scale) * 20).astype(np.float32)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    wrong.write_bytes(bytes(builder.Output()))
    name: str = weights.name.decode().partition(";")[0]
    return name


def constants(path: Path) -> dict[str, bytes]:
    """The stored integers, scales and zero points of a file's constants, by the tensors' names."""
    model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
    found = {}
    for tensor in model.subgraphs[0].tensors:
        data = model.buffers[tensor.buffer].data
        if data is not None:
            numbers = tensor.quantization
            found[tensor.name.decode()] = (
                bytes(data) + bytes(np.asarray(numbers.scale)) + bytes(np.asarray(numbers.zeroPoint))
            )
    return found


def named(called: Called) -> list[str]:
    return [fault["evidence"].partition(":")[0] for fault in called.json["predicate"]["faults"]]


def test_a_wrong_scale_is_named_and_quantised_anew(folder: Path, tmp_path: Path) -> None:
    name = scaled(folder / "right.tflite", tmp_path / "wrong.tflite")
    target = tmp_path / "repaired.tflite"
    called = safeconvert("repair", folder / "even.keras", tmp_path / "wrong.tflite", "-o", target, *data(folder))
    assert called.code == 0, called.text
    predicate = called.json["predicate"]
    assert predicate["attempts"][0]["outcome"] == "not_equivalent"
    found = predicate["quantization"]
    assert found["optimize"] == "int8" and target.exists()
    assert name in [one["tensor"].partition(";")[0] for one in found["stored_anew"]] and len(found["stored_anew"]) <= 2
    assert all(not one["without"]["equal"] for one in found["stored_anew"]), "each is needed"
    assert target.stat().st_size <= (tmp_path / "wrong.tflite").stat().st_size + 256, (
        "what was wrong is not kept beside it"
    )
    left = constants(target), constants(tmp_path / "wrong.tflite")
    changed = {key for key in left[0] if left[0][key] != left[1][key]}
    assert changed <= {one["tensor"] for one in found["stored_anew"]}, "all else is as it was"
    only = safeconvert("localize", folder / "even.keras", tmp_path / "wrong.tflite", *data(folder))
    assert only.code == 1 and name in named(only), only.text
    assert any("scale" in fault["evidence"] for fault in only.json["predicate"]["faults"])


def test_one_scale_for_all_channels_is_named_and_each_gets_its_own(folder: Path, tmp_path: Path) -> None:
    name = per_tensor(folder / "right.tflite", tmp_path / "wrong.tflite")
    target = tmp_path / "repaired.tflite"
    called = safeconvert("repair", folder / "even.keras", tmp_path / "wrong.tflite", "-o", target, *data(folder))
    assert called.code == 0, called.text
    found = called.json["predicate"]["quantization"]["stored_anew"]
    assert [(one["tensor"].partition(";")[0], one["was"]) for one in found] == [(name, "one scale for 32 channels")]


def per_tensor(right: Path, wrong: Path) -> str:
    """The file with one scale, of one step in all, for the weights of its third layer; the name of their tensor."""
    model = schema.ModelT.InitFromPackedBuf(right.read_bytes(), 0)
    graph = model.subgraphs[0]
    layer = [op for op in graph.operators if len(op.inputs) == 3][2]
    given, weights, bias = (graph.tensors[int(number)] for number in layer.inputs)
    form = [int(size) for size in weights.shape]
    stored = np.frombuffer(bytes(model.buffers[weights.buffer].data), np.int8).reshape(form)
    scales = np.asarray(weights.quantization.scale, np.float64)[:, None]
    one = float(np.abs(stored * scales).max())
    model.buffers[weights.buffer].data = np.rint(stored * scales / one).astype(np.int8).reshape(-1).view(np.uint8)
    weights.quantization.scale, weights.quantization.zeroPoint = np.array([one], np.float32), np.zeros(1, np.int64)
    real = np.frombuffer(bytes(model.buffers[bias.buffer].data), np.int32) * np.asarray(
        bias.quantization.scale, np.float64
    )
    steps = float(given.quantization.scale[0]) * one
    model.buffers[bias.buffer].data = np.rint(real / steps).astype(np.int32).view(np.uint8)
    bias.quantization.scale, bias.quantization.zeroPoint = np.array([steps], np.float32), np.zeros(1, np.int64)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    wrong.write_bytes(bytes(builder.Output()))
    name: str = weights.name.decode().partition(";")[0]
    return name


def test_a_right_file_is_left_alone(folder: Path) -> None:
    called = safeconvert("localize", folder / "even.keras", folder / "right.tflite", *data(folder))
    assert called.code == 0 and named(called) == [], called.text
