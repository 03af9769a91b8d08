"""`--profile`: phases, calls, starts and imports of all processes on one time line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import safeconvert
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
