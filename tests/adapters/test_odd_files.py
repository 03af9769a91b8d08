"""Files that a framework reads, or half reads, and that give nothing to convert: refused with a reason."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import flatbuffers
import h5py
import onnx
import pytest
import torch
from ai_edge_litert import schema_py_generated as schema

from adapters._shared.untrusted.archive import open_archive
from adapters._shared.untrusted.keras_config import inspect_keras
from adapters._shared.untrusted.torch_version import require_read_loader
from adapters._shared.untrusted.torchscript import open_torchscript
from adapters.onnx.adapter import load as load_onnx
from adapters.tflite.adapter import load
from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.errors import UnusableInput
from tests.onnx_models import selu_net


@pytest.mark.parametrize("name", ["net/\udcff.py", "elsewhere/data.pkl", "data.pkl"], ids=ascii)
def test_members_that_torch_cannot_name_make_a_damaged_archive(name: str, tmp_path: Path) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("net/version", "3")
        archive.writestr("net/xx.py" if "\udcff" in name else name, "")
    (tmp_path / "net.pt").write_bytes(made.getvalue().replace(b"net/xx.py", b"net/\xff\xfe.py"))
    with pytest.raises(UnusableInput, match="a damaged archive"):
        open_archive(str(tmp_path / "net.pt"), "")


def test_a_tflite_file_without_inputs_is_refused(tmp_path: Path) -> None:
    tensor = schema.TensorT()
    tensor.shape, tensor.buffer, tensor.name, tensor.type = [2], 1, b"y", schema.TensorType.FLOAT32
    graph = schema.SubGraphT()
    graph.tensors, graph.inputs, graph.outputs, graph.operators = [tensor], [], [0], []
    data = schema.BufferT()
    data.data = list(bytes(8))
    model = schema.ModelT()
    model.version, model.subgraphs, model.buffers, model.operatorCodes = 3, [graph], [schema.BufferT(), data], []
    builder = flatbuffers.Builder(256)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    path = tmp_path / "constant.tflite"
    path.write_bytes(bytes(builder.Output()))
    with pytest.raises(UnusableInput, match="takes no inputs"):
        load(ModelRequest(str(path)).to_json())


@pytest.mark.parametrize("value", [3, 1.5, b"\xff\xfe", "[" * 100_000, "nothing"], ids=lambda value: str(value)[:9])
def test_a_configuration_that_is_none_makes_a_file_that_keras_cannot_load(value: object, tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = value if not isinstance(value, str) else value[:60_000]
    with pytest.raises(UnusableInput, match="Keras cannot load it"):
        inspect_keras(ModelRequest(str(path)), "h5")


def test_a_member_that_does_not_unpack_makes_a_file_that_keras_cannot_load(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}" * 400)
    with zipfile.ZipFile(path) as archive:
        (member,) = archive.infolist()
    content = bytearray(path.read_bytes())
    start = member.header_offset + 30 + len(member.filename)
    content[start : start + member.compress_size] = b"\xff" * member.compress_size
    path.write_bytes(bytes(content))
    with pytest.raises(UnusableInput, match="Keras cannot load it"):
        inspect_keras(ModelRequest(str(path)), "keras_v3")


@pytest.mark.parametrize("member", ["data.pkl", "constants.pkl"])
def test_a_pickle_that_recalls_what_it_never_stored_makes_a_damaged_archive(member: str, tmp_path: Path) -> None:
    made = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 2).eval(), torch.zeros(1, 2)), made)
    changed = io.BytesIO()
    with zipfile.ZipFile(made) as archive, zipfile.ZipFile(changed, "w") as out:
        for name in archive.namelist():
            out.writestr(name, b"\x80\x02h\x07." if name.endswith(f"/{member}") else archive.read(name))
    (tmp_path / "net.pt").write_bytes(changed.getvalue())
    with pytest.raises(UnusableInput, match="a damaged TorchScript archive"):
        open_torchscript(str(tmp_path / "net.pt"))


def test_an_onnx_file_is_read_as_one_whatever_it_is_called(tmp_path: Path) -> None:
    """ONNX Runtime takes a name that ends in .ort for a format of its own, which nothing has inspected."""
    onnx.save(selu_net(), tmp_path / "model.ort")
    assert load_onnx(ModelRequest(str(tmp_path / "model.ort")).to_json()).signature().inputs[0].name == "x"


@pytest.mark.parametrize("version", ["2.12.1", "2.14.0+cpu", "3.13.0"])
def test_an_exported_program_is_opened_by_the_torch_whose_loader_was_read(version: str) -> None:
    require_read_loader("net.pt2", "2.13.4+cu128")
    with pytest.raises(UnusableInput, match=rf"net.pt2: .* torch {version.replace('+', '.')}") as caught:
        require_read_loader("net.pt2", version)
    assert "--trust-pickle" in caught.value.advice and "2.13" in caught.value.advice
