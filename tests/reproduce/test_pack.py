"""Faults packed for an issue tracker: the smallest graph on which the real converter, by itself, goes wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from safeconvert.certificate import archive
from safeconvert.certificate.archive import Evidence
from safeconvert.certificate.check import read_certificate
from safeconvert.certificate.envelope import write_certificate
from safeconvert.certificate.statement import build_statement
from safeconvert.config.settings import load_settings
from safeconvert.core.progress import Phases
from safeconvert.reproduce import scripts
from safeconvert.reproduce.pack import pack
from safeconvert.reproduce.regions import fault_regions
from safeconvert.reproduce.types import Packed
from tests import onnx_models
from tests.command import safeconvert

if TYPE_CHECKING:
    from tests.conftest import Converted

pytestmark = pytest.mark.converters
INPUT = np.random.default_rng(1).normal(size=(1, 3, 8, 8)).astype(np.float32)


@pytest.fixture(scope="module")
def packed(refuted: Converted, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the command says of the refuted conversion."""
    called = safeconvert("pack", refuted.certificate, "-o", tmp_path_factory.mktemp("issues"), "--json")
    assert called.code == 0, called.text
    (issue,) = called.json["issues"]
    return issue


def test_the_raw_converter_goes_wrong_on_one_node(packed: dict[str, object]) -> None:
    assert packed["reproduces"] and packed["converter"] == "onnx2keras" and packed["faults"] == [0, 1]
    folder = Path(str(packed["folder"]))
    assert folder.name == "fault-1-LH-Selu"
    assert [node.op_type for node in onnx.load(folder / "model.onnx").graph.node] == ["Selu"]
    done = subprocess.run([sys.executable, "reproduce.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "largest difference" in done.stdout, done.stderr[-2000:]
    program = (folder / "reproduce.py").read_text()
    assert "safeconvert" not in program and "onnx_to_keras(" in program


def test_the_expected_output_is_what_onnx_gives(packed: dict[str, object]) -> None:
    folder = Path(str(packed["folder"]))

    def load(name: str) -> np.ndarray:
        data = (folder / "test_data_set_0" / name).read_bytes()
        return numpy_helper.to_array(onnx.TensorProto.FromString(data))

    model = onnx.load(folder / "model.onnx")
    (got,) = onnx_models.run(model, {model.graph.input[0].name: load("input_0.pb")})
    np.testing.assert_allclose(got, load("output_0.pb"), rtol=1e-5)


def test_the_text_says_what_was_run_with_which_versions(packed: dict[str, object]) -> None:
    folder = Path(str(packed["folder"]))
    text = (folder / "issue.md").read_text()
    for line in ("# onnx2keras 0.0.25: Selu is converted wrongly", "alpha: 1 in the source", "gamma: 2 in the source",
                 "largest difference", "onnx2keras==0.0.25", "- Python 3.11", "| onnx2keras | Selu | wrong |"):  # fmt: skip
        assert line in text
    assert (folder / "reproduce.py").read_text().strip() in text


def test_nothing_is_left_to_pack_and_no_evidence(verified: Converted, refuted: Converted, tmp_path: Path) -> None:
    called = safeconvert("pack", verified.certificate)
    assert called.code == 0 and "no unrepaired fault" in called.out
    alone = tmp_path / refuted.certificate.name
    shutil.copy(refuted.certificate, alone)
    called = safeconvert("pack", alone)
    assert called.code == 2 and "nothing can be packed" in called.err
    (tmp_path / "x.certificate.json").write_text("{}")
    assert safeconvert("pack", tmp_path / "x.certificate.json").code == 2


def level(model: onnx.ModelProto) -> dict[str, bytes]:
    """A level's files, by name."""
    name = model.graph.input[0].name
    fixed = onnx.ModelProto.FromString(model.SerializeToString())
    fixed.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    (expected,) = onnx_models.run(model, {name: INPUT})
    tensors = {"input_0": numpy_helper.from_array(INPUT, name), "output_0": numpy_helper.from_array(expected, "y")}
    data = {f"test_data_set_0/{key}.pb": tensor.SerializeToString() for key, tensor in tensors.items()}
    return {"model.onnx": fixed.SerializeToString(), **data}


def made(refuted: Converted, folder: Path, model: onnx.ModelProto, route: list[str], operator: str = "Conv") -> Path:
    """A certificate of one fault, made by the converters of a route; its region's only level is a model."""
    content = {key: value for key, value in read_certificate(refuted.certificate).items() if key != "subject"}
    content["faults"] = [{**content["faults"][0], "operator": operator}]
    content["route"] = [{"adapter": name, "from": "-", "to": "-"} for name in route]
    entry = {"folder": "regions/0", "faults": [0], "levels": [{"folder": "0", "operators": ["Conv"]}], "left_out": ""}
    files = {f"regions/0/0/{name}": data for name, data in level(model).items()}
    files["regions/0/target.onnx"] = model.SerializeToString()
    digest = archive.write(Evidence({"regions": [entry]}, files), folder / "m.evidence.zip")
    content["evidence"] = {"path": "m.evidence.zip", "sha256": digest, "kind": "file"}
    place = folder / "m.certificate.json"
    write_certificate(place, build_statement("m", content["target"]["sha256"], content), None)
    return place


def test_every_program_runs_its_converter_and_finds_it_right(refuted: Converted, tmp_path: Path) -> None:
    net = onnx_models.selu_net()
    net.graph.node[1].op_type = "Relu"
    del net.graph.node[1].attribute[:]
    route = ["onnx2keras", "onnx2torch", "tflite_converter", "keras_export", "tf2onnx"]
    (one,) = pack(made(refuted, tmp_path, net, route), None, False, load_settings(), Phases())
    assert {run.subject: (run.outcome, run.message) for run in one.tried if run.outcome != "right"} == {}
    assert [run.subject for run in one.tried] == route and one.wrong is None
    text = (one.folder / "issue.md").read_text()
    assert "It does not go wrong alone" in text and (one.folder / "target.onnx").exists()
    done = subprocess.run([sys.executable, "reproduce.py"], cwd=one.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "the converted model" in done.stdout, done.stderr[-2000:]


def test_a_converter_that_is_fed_by_a_wrong_one_is_not_blamed(refuted: Converted, tmp_path: Path) -> None:
    operator = 'x"""\nimport os; os.abort()\n"""'
    place = made(refuted, tmp_path, onnx_models.selu_net(), ["tflite_converter"], operator)
    (one,) = pack(place, None, False, load_settings(), Phases())
    assert [run.outcome for run in one.tried] == ["not reached"] and one.wrong is None


def test_evidence_chooses_no_file_names_and_broken_content_is_said(refuted: Converted, tmp_path: Path) -> None:
    content = read_certificate(refuted.certificate)
    evidence = archive.read(refuted.certificate, content["evidence"])
    (region,) = fault_regions(content, evidence, every=False)
    assert region.levels[0].operators == ("Selu",)
    folder = "regions/0/0/"
    evil = replace(
        evidence, files={**evidence.files, f"{folder}../../evil": b"", f"{folder}test_data_set_0/../e.pb": b""}
    )
    (region,) = fault_regions(content, evil, every=False)
    assert all(not name.startswith(".") and ".." not in name for item in region.levels for name in item.files)
    for broken in (None, 3, "text", [], [None], [{}], [{"faults": [0], "levels": [{}], "folder": 3}]):
        regions = fault_regions(content, replace(evidence, content={"regions": broken}), every=True)
        assert regions and all(item.left_out or not item.levels for item in regions)
    spoilt = {
        name: b"no model" if name.endswith(".onnx") else data for name, data in level(onnx_models.selu_net()).items()
    }
    place = made(refuted, tmp_path, onnx_models.selu_net(), ["onnx2keras"])
    entry = {"folder": "regions/0", "faults": [0], "levels": [{"folder": "0", "operators": ["Conv"]}]}
    files = {f"regions/0/0/{name}": data for name, data in spoilt.items()}
    digest = archive.write(Evidence({"regions": [entry]}, files), tmp_path / "m.evidence.zip")
    members = {key: value for key, value in read_certificate(place).items() if key != "subject"}
    members["evidence"]["sha256"] = digest
    write_certificate(place, build_statement("m", members["target"]["sha256"], members), None)
    (one,) = pack(place, tmp_path / "out", False, load_settings(), Phases())
    assert isinstance(one, Packed) and [run.message for run in one.tried] == ["its graph cannot be read"]


def test_programs_are_python_whatever_stands_in_the_certificate() -> None:
    for chain in scripts.chains((), "tflite"):
        compile(scripts.program(chain, "title", {"rtol": 1e-4, "atol": 0.0}), "reproduce.py", "exec")
    assert scripts.chains((), "onnx") == ()
