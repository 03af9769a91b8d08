"""Large models: weights stay in their file, and nothing that is told of the graph changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from safeconvert.core.tensors import array_of, is_reference
from safeconvert.graph.coverage import Coverage
from safeconvert.graph.execution import stream_part
from safeconvert.graph.sessions import open_session
from safeconvert.graph.stored import large_graph, light_graph, open_graph
from safeconvert.graph.view import tidy
from safeconvert.prove.prover import prove
from safeconvert.prove.steps import form_digest
from safeconvert.prove.structure import same_structure
from tests.prove.graphs import contract

WIDTH = 160  # 160 x 160 float32 are 100 KiB
FOLDERS = ("inside", "beside")


def model(path: Path, beside: bool = False, names: str = "", factor: float = 1.0) -> Path:
    """Two layers (n, 160) -> (n, 160), 100 KiB of weights each, in the file or beside it."""
    random = np.random.default_rng(0)
    first, second = ((random.normal(size=(WIDTH, WIDTH)) / 12).astype("f4") for _ in range(2))
    weights = [
        numpy_helper.from_array(first, f"{names}first"),
        numpy_helper.from_array(np.ones(WIDTH, "f4"), f"{names}shift"),
        numpy_helper.from_array((second * factor).astype("f4"), f"{names}second"),
    ]
    nodes = [
        helper.make_node("MatMul", ["x", f"{names}first"], [f"{names}a"], f"{names}one"),
        helper.make_node("Add", [f"{names}a", f"{names}shift"], [f"{names}b"], f"{names}two"),
        helper.make_node("Relu", [f"{names}b"], [f"{names}c"], f"{names}three"),
        helper.make_node("MatMul", [f"{names}c", f"{names}second"], ["y"], f"{names}four"),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", WIDTH]) for name in "xy"]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.parent.mkdir(exist_ok=True)
    onnx.save(made, path, save_as_external_data=beside, location="weights.data", size_threshold=100)
    return path


@pytest.fixture(params=FOLDERS)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A model whose weights lie in its file, or beside it."""
    return model(tmp_path / request.param / "m.onnx", request.param == "beside")


def test_a_small_model_is_read_whole(path: Path) -> None:
    assert not any(map(is_reference, open_graph(path).graph.initializer))
    assert large_graph(path) is None


def test_large_weights_stay_in_the_file_and_small_ones_are_read(path: Path) -> None:
    lean, read = open_graph(path, large=0), onnx.load(path)
    assert [is_reference(tensor) for tensor in lean.graph.initializer] == [True, False, True]
    assert lean.ByteSize() < 3000
    for ours, theirs in zip(lean.graph.initializer, read.graph.initializer, strict=True):
        assert np.array_equal(array_of(ours), numpy_helper.to_array(theirs))
    assert isinstance(array_of(lean.graph.initializer[0]), np.memmap)


def test_who_looks_at_nodes_alone_reads_no_weights(path: Path) -> None:
    light = light_graph(path, large=0)
    assert light.ByteSize() < 3000
    assert list(light.graph.initializer[2].dims) == [WIDTH, WIDTH]
    assert list(light.graph.node) == list(onnx.load(path).graph.node)


def test_onnx_runtime_runs_it_as_it_runs_the_file(path: Path) -> None:
    x = np.random.default_rng(1).normal(size=(5, WIDTH)).astype("f4")
    (ours,) = open_session(open_graph(path, large=0)).run(None, {"x": x})
    (theirs,) = open_session(str(path)).run(None, {"x": x})
    assert np.allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    assert np.abs(ours).max() > 1


def test_parts_of_it_run(path: Path) -> None:
    x = np.random.default_rng(1).normal(size=(5, WIDTH)).astype("f4")
    both = [next(stream_part(tidy(one), [{"x": x}], ["c"]))["c"] for one in (open_graph(path, 0), onnx.load(path))]
    assert np.allclose(*both, rtol=1e-5, atol=1e-5)


def test_coverage_is_the_same(path: Path) -> None:
    x = np.random.default_rng(1).normal(size=(5, WIDTH)).astype("f4")
    lean, read = Coverage(open_graph(path, large=0)), Coverage(onnx.load(path))
    assert lean.items == read.items
    assert lean.exercised([x]) == read.exercised([x]) != set()


def test_it_is_proven_equal_to_its_copy_and_not_to_another(tmp_path: Path) -> None:
    paths = [
        model(tmp_path / "a" / "m.onnx"),
        model(tmp_path / "b" / "m.onnx", True, "other_"),
        model(tmp_path / "c" / "m.onnx", True, "other_", 1.01),
    ]
    ours, copy, wrong = (open_graph(path, large=0) for path in paths)
    assert prove(ours, copy, contract()).proven
    assert not prove(ours, wrong, contract()).proven
    assert same_structure(tidy(ours), tidy(copy))
    assert not same_structure(tidy(ours), tidy(wrong))


def test_its_digest_is_of_its_numbers_wherever_they_lie(tmp_path: Path) -> None:
    inside, beside = model(tmp_path / "a" / "m.onnx"), model(tmp_path / "b" / "m.onnx", True)
    other = model(tmp_path / "c" / "m.onnx", factor=1.01)
    first, second, third = (form_digest(open_graph(path, large=0)) for path in (inside, beside, other))
    assert first == second != third


def test_a_file_that_became_shorter_is_not_read(path: Path) -> None:
    lean = open_graph(path, large=0)
    for file in path.parent.iterdir():
        file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(OSError, match="shorter than initializer first says"):
        array_of(lean.graph.initializer[0])


def test_data_outside_of_the_folder_are_refused(tmp_path: Path) -> None:
    path = model(tmp_path / "a" / "m.onnx", True)
    (path.parent / "weights.data").rename(tmp_path / "weights.data")
    lean = onnx.load(path, load_external_data=False)
    for tensor in lean.graph.initializer:
        for entry in tensor.external_data:
            entry.value = "../weights.data" if entry.key == "location" else entry.value
    path.write_bytes(lean.SerializeToString())
    with pytest.raises(onnx.checker.ValidationError):
        open_graph(path, large=0)


def test_raw_data_in_two_parts_are_left_to_protobuf(tmp_path: Path) -> None:
    path = model(tmp_path / "m.onnx")
    read = onnx.load(path)
    twice = onnx.ModelProto()
    twice.graph.initializer.extend(read.graph.initializer[:1])
    path.write_bytes(path.read_bytes() + twice.SerializeToString())  # protobuf joins both graphs
    joined = open_graph(path, large=0)
    assert len(joined.graph.initializer) == 4
    assert not any(map(is_reference, joined.graph.initializer))


def test_what_is_no_onnx_file_is_refused_as_onnx_does(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"\xff" * 5000)
    with pytest.raises(Exception, match=r"(?i)pars"):
        open_graph(tmp_path / "m.onnx", large=0)
