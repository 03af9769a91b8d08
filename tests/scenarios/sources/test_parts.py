"""A part of a model in the model's place: converted, verified, and named wherever the verdict is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from safeconvert.graph.cut import cut_graph
from tests.command import safeconvert
from tests.onnx_models import model, random
from tests.program import DYNAMO, KERAS, run_program

pytestmark = pytest.mark.converters
PROGRAMS = Path(__file__).parent / "programs"
PART = ("--from", "relu", "--to-node", "pool")


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("Conv", ["r", "v"], ["d"], "second"),
        helper.make_node("GlobalAveragePool", ["d"], ["m"], "pool"),
        helper.make_node("Flatten", ["m"], ["y"], "flat"),
    ]
    path = tmp_path_factory.mktemp("part") / "net.onnx"
    made = model(nodes, {"x": ["N", 3, 8, 8]}, ["y"], {"w": random(4, 3, 3, 3), "v": random(5, 4, 3, 3, seed=1)})
    onnx.save(made, path)
    return path


def test_a_part_is_converted_and_named_in_verdict_and_certificate(net: Path, tmp_path: Path) -> None:
    done = safeconvert("onnx2tflite", net, "-o", tmp_path / "part.tflite", *PART, "--json")
    assert done.code == 0, done.text
    predicate = done.json["predicate"]
    assert done.json["reason"].startswith("the part from relu to pool: equal to the ONNX source on")
    cut = predicate["source"]["cut"]
    assert (cut["from"], cut["to_node"], cut["before"], cut["inputs"]) == (["relu"], ["pool"], ["conv (Conv)"], ["c"])
    assert [one["source"]["name"] for one in predicate["contract"]["inputs"]] == ["c"]
    before, behind = predicate["obligations"][:2]
    assert "what lies before relu is host code: conv (Conv); feed c what it gives" in before
    assert "what lies behind pool is host code: flat (Flatten)" in behind
    checked = safeconvert("check", done.json["certificate"])
    assert checked.code == 0, checked.text  # the digest is that of the whole file


def test_a_wrong_part_is_refused_and_the_whole_is_no_part(net: Path, tmp_path: Path) -> None:
    right, _ = cut_graph(onnx.load(net), ["relu"], ["pool"])
    onnx.save(right, tmp_path / "right.onnx")
    weights = next(tensor for tensor in right.graph.initializer if tensor.name == "v")
    weights.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weights) * np.float32(1.001), "v"))
    onnx.save(right, tmp_path / "wrong.onnx")
    codes = {
        name: safeconvert("verify", net, tmp_path / f"{name}.onnx", *PART, "--json").code for name in ("right", "wrong")
    }
    assert codes == {"right": 0, "wrong": 1}
    assert safeconvert("verify", net, tmp_path / "right.onnx", "--json").code != 0
    assert safeconvert("verify", net, net, *PART, "--json").code != 0


def test_a_proof_of_a_part_is_checked_against_the_part(net: Path, tmp_path: Path) -> None:
    right, _ = cut_graph(onnx.load(net), ["relu"], ["pool"])
    onnx.save(right, tmp_path / "right.onnx")
    certificate = tmp_path / "right.certificate.json"
    done = safeconvert("verify", net, tmp_path / "right.onnx", *PART, "--certificate", certificate, "--json")
    assert done.code == 0, done.text
    if done.json["predicate"]["proof"]["level"] != "sampled":
        assert safeconvert("check", certificate, "--proof").code == 0


def test_a_source_without_nodes_is_refused_with_a_way_on(tmp_path: Path) -> None:
    import torch

    torch.jit.trace(torch.nn.Linear(3, 2), torch.zeros(1, 3)).save(tmp_path / "net.pt")
    done = safeconvert("torch2onnx", tmp_path / "net.pt", "-o", tmp_path / "net.onnx", "--from", "linear", "--json")
    assert done.code == 2
    assert "holds a module's code" in done.text and "convert the whole to ONNX" in done.text


def test_a_module_of_a_program_is_converted_by_its_name(tmp_path: Path) -> None:
    run_program(PROGRAMS / "program.py", tmp_path, modules=DYNAMO)
    flags = ("--from", "middle", "--to-node", "middle", "--json")
    done = safeconvert("torch2onnx", tmp_path / "net.pt2", "-o", tmp_path / "part.onnx", *flags)
    assert done.code == 0, done.text
    contract = done.json["predicate"]["contract"]
    assert [one["source"]["shape"] for one in (*contract["inputs"], *contract["outputs"])] == [[None, 6], [None, 5]]
    (part,) = (node for node in onnx.load(tmp_path / "part.onnx").graph.node if node.op_type == "Gemm")
    assert part is not None


def test_a_name_that_is_not_there_is_refused_by_name(net: Path, tmp_path: Path) -> None:
    done = safeconvert("onnx2tflite", net, "-o", tmp_path / "part.tflite", "--from", "rel", "--json")
    assert done.code == 2 and "did you mean relu?" in json.dumps(done.text)


def test_a_lookup_that_no_route_has_is_refused_with_the_flag(tmp_path: Path) -> None:
    run_program(PROGRAMS / "looked_up.py", tmp_path, modules=KERAS)
    done = safeconvert("keras2tflite", tmp_path / "net.keras", "-o", tmp_path / "net.tflite", "--json")
    assert done.code == 3, done.text
    assert "lookup (IntegerLookup) looks values up, which is host code" in done.json["reason"]
    assert "--from table" in done.json["reason"]
    done = safeconvert(
        "keras2tflite", tmp_path / "net.keras", "-o", tmp_path / "net.tflite", "--from", "table", "--json"
    )
    assert done.code == 0, done.text
