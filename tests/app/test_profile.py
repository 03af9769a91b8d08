"""`--profile`: phases, calls, starts and imports of all processes on one time line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import safeconvert
from safeconvert.app.batch import BatchOptions, run_batch
from safeconvert.errors import UnusableInput


@pytest.fixture
def model(tmp_path: Path) -> Path:
    weights = numpy_helper.from_array(np.eye(3, dtype=np.float32), "w")
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", ends[:1], ends[1:], [weights])
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.converters
def test_all_processes_are_on_one_time_line(model: Path, tmp_path: Path) -> None:
    place = tmp_path / "profile.json"
    safeconvert.verify(model, model, samples=16, profile=place)
    events = json.loads(place.read_text())["traceEvents"]
    spans = [event for event in events if event["ph"] == "X"]
    assert {event["cat"] for event in spans} == {"phase", "call", "work", "start", "import"}
    names = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
    assert {event["pid"] for event in spans} == names.keys()
    by_process = {name.split("-")[0].split()[0] for name in names.values()}
    assert {"safeconvert", "source", "target", "template"} <= by_process
    [running] = [event for event in spans if event["name"] == "running the source"]
    inside = [
        event for event in spans
        if event["cat"] == "work" and names[event["pid"]].startswith("source") and event["name"].startswith("running")
        and running["ts"] <= event["ts"] and event["ts"] + event["dur"] <= running["ts"] + running["dur"]
    ]  # fmt: skip
    assert inside, "the worker's own clock is the host's"
    assert all(event["ts"] >= 0 and event["dur"] >= 0 for event in spans)


def test_a_profile_is_written_whatever_becomes_of_the_run_and_over_no_model(tmp_path: Path, model: Path) -> None:
    with pytest.raises(UnusableInput, match="no such file"):
        safeconvert.verify(model, tmp_path / "gone.onnx", profile=tmp_path / "p.json")
    assert (tmp_path / "p.json").exists()
    with pytest.raises(UnusableInput, match=r"--profile .*model\.onnx: such a file ends in \.json"):
        safeconvert.verify(model, model, profile=model)


def test_no_side_file_is_written_over_another_file_of_its_kind(tmp_path: Path, model: Path) -> None:
    """Each was taken away before the run, and whatever became of it."""
    mine = {name: tmp_path / name for name in ("p.json", "e.json", "m.graphs.json", "j.xml", "r.html", "index.html")}
    for path in mine.values():
        path.write_text("[1]")
    places = {"profile": mine["p.json"], "junit": mine["j.xml"], "report": mine["r.html"]}
    for keyword, place in places.items():
        with pytest.raises(UnusableInput, match="safeconvert did not write it as that"):
            safeconvert.verify(model, model, **{keyword: place})
    for place in (mine["e.json"], tmp_path / "m.json"):
        with pytest.raises(UnusableInput, match=r"--model-explorer .* did not write it"):
            safeconvert.convert(model, "torch", model_explorer=place)
    (tmp_path / "jobs").mkdir()
    with pytest.raises(UnusableInput, match=r"--results .*index\.html: is there"):
        run_batch(BatchOptions(tmp_path / "jobs", tmp_path, "onnx2torch", "*.onnx"), lambda job, result: None)
    assert {path.read_text() for path in mine.values()} == {"[1]"}


def test_those_of_an_earlier_run_are_replaced(tmp_path: Path, model: Path) -> None:
    for _ in range(2):
        with pytest.raises(UnusableInput, match="no such file"):
            safeconvert.verify(
                model,
                tmp_path / "gone.onnx",
                profile=tmp_path / "p.json",
                junit=tmp_path / "j.xml",
                report=tmp_path / "r.html",
            )
    assert all((tmp_path / name).stat().st_size for name in ("p.json", "j.xml", "r.html"))
