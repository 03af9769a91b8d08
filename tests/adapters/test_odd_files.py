"""Files that a framework reads, or half reads, and that give nothing to convert: refused with a reason."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import flatbuffers
import pytest
from ai_edge_litert import schema_py_generated as schema

from adapters._shared.untrusted.archive import open_archive
from adapters._shared.untrusted.torch_version import require_read_loader
from adapters.tflite.adapter import load
from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.errors import UnusableInput


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


@pytest.mark.parametrize("version", ["2.12.1", "2.14.0+cpu", "3.13.0"])
def test_an_exported_program_is_opened_by_the_torch_whose_loader_was_read(version: str) -> None:
    require_read_loader("net.pt2", "2.13.4+cu128")
    with pytest.raises(UnusableInput, match=rf"net.pt2: .* torch {version.replace('+', '.')}") as caught:
        require_read_loader("net.pt2", version)
    assert "--trust-pickle" in caught.value.advice and "2.13" in caught.value.advice
