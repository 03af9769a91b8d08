"""A batch end to end: ONNX pairs verified in slots, a crash that costs its own job only, and a second run that does nothing."""

from __future__ import annotations

import json
import os
import signal
import threading
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from safeconvert.app.batch import BatchOptions, BatchOutcome, run_batch
from safeconvert.batch.engine import UNKNOWN, _admitted, slots_for
from safeconvert.batch.job import Job, Result, State
from safeconvert.batch.slot import Slot
from safeconvert.workers.template_server import serving


def linear(path: Path, factor: float) -> Path:
    weights = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32) * np.float32(factor)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])], "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(weights, "w")],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    linear(tmp_path / "right.onnx", 1.0)
    linear(tmp_path / "same.onnx", 1.0)
    linear(tmp_path / "wrong.onnx", 1.5)
    (tmp_path / "broken.onnx").write_bytes(b"\x08\x08not a model")
    entries = [
        {"command": "verify", "source": "right.onnx", "target": name, "flags": {"samples": 16}}
        for name in ("same.onnx", "wrong.onnx", "broken.onnx")
    ]
    path = tmp_path / "jobs.jsonl"
    path.write_text("\n".join(map(json.dumps, entries)))
    return path


def run(manifest: Path, **options: object) -> tuple[BatchOutcome, list[tuple[Job, Result]]]:
    found: list[tuple[Job, Result]] = []
    settings = {"slots": 1, **options}
    outcome = run_batch(BatchOptions(manifest, manifest.parent / "r", **settings), lambda *one: found.append(one))  # type: ignore[arg-type]
    return outcome, found


@pytest.mark.converters
def test_each_job_comes_to_its_own_end_and_a_second_run_repeats_none(manifest: Path) -> None:
    outcome, results = run(manifest, junit=manifest.parent / "jobs.xml")
    assert [entry.exit_code for entry in outcome.entries] == [0, 1, 2]
    assert [entry.verdict for entry in outcome.entries] == ["verified", "not_equivalent", "unusable_input"]
    assert outcome.exit_code == 2 and len(results) == 3
    assert all(entry.peak > 0 and entry.seconds > 0 for entry in outcome.entries)
    shown = (manifest.parent / "r" / "index.html").read_text()
    assert "1 of 3 jobs verified" in shown and shown.count('<a href="./reports/right-') == 3
    assert len(list((manifest.parent / "r" / "reports").glob("right-*.html"))) == 3, (
        "a job without a verdict has a page too"
    )
    suites = ET.parse(manifest.parent / "jobs.xml").getroot()
    assert [[suite.get(key) != "0" for key in ("failures", "errors")] for suite in suites] == [
        [False, False], [True, False], [False, True],
    ]  # fmt: skip
    again, nothing = run(manifest)
    assert nothing == [] and [entry.attempt for entry in again.entries] == [1, 1, 1]
    retried, results = run(manifest, retry_failed=True, only="*wrong*")
    assert [job.target.name for job, _ in results if job.target] == ["wrong.onnx"]
    assert [entry.attempt for entry in retried.entries] == [1, 2, 1]


def verify(manifest: Path, target: str) -> Job:
    return Job("verify", manifest.parent / "right.onnx", manifest.parent / target, None, {"samples": 16})


def children(slot: Slot, program: str) -> set[int]:
    assert slot._process is not None
    found = psutil.Process(slot._process.pid).children(recursive=True)
    return {child.pid for child in found if program in " ".join(child.cmdline())}


@pytest.mark.converters
def test_frameworks_start_once_a_slot_and_a_job_ends_with_its_batch(manifest: Path) -> None:
    slot = Slot("0", manifest.parent)
    try:
        assert slot.run(verify(manifest, "same.onnx")).exit_code == 0
        templates = children(slot, "_template.py")
        assert templates, "what is left is idle templates"
        assert slot.run(verify(manifest, "wrong.onnx")).exit_code == 1
        process = slot._process
        assert process is not None and process.stdin is not None
        started = {child.pid for child in psutil.Process(process.pid).children()}
        later = children(slot, "_template.py")
        assert started <= templates <= later, "what the second job adds is forked from what the first one started"
        templates = later
        process.stdin.write(json.dumps(verify(manifest, "same.onnx").arguments()).encode() + b"\n")
        process.stdin.flush()
        while children(slot, "_template.py") == templates:  # a worker of the job is forked
            threading.Event().wait(0.05)
        process.stdin.close()  # as where the batch is killed
        assert process.wait(30) == 128 + signal.SIGTERM
        for _ in range(200):
            if not any(psutil.pid_exists(pid) for pid in templates):
                break
            threading.Event().wait(0.05)
        assert not any(psutil.pid_exists(pid) for pid in templates)
    finally:
        slot.close()


@pytest.mark.converters
def test_slots_of_one_batch_share_what_they_import(manifest: Path) -> None:
    with serving() as server:
        slots = [Slot(name, manifest.parent, server=server) for name in "01"]
        try:
            results = [slot.run(verify(manifest, "same.onnx")) for slot in slots]
            assert [result.exit_code for result in results] == [0, 0] and all(result.peak > 0 for result in results)
            parents = []
            for slot in slots:
                templates = slot._roots[1:]
                assert templates and not children(slot, "_template.py"), (
                    "each is forked from one that is not the slot's"
                )
                parents.append({psutil.Process(pid).ppid() for pid in templates})
            assert parents[0] & parents[1]
        finally:
            for slot in slots:
                slot.close()


@pytest.mark.converters
def test_a_slot_that_dies_costs_its_job_and_the_rest_goes_on(manifest: Path) -> None:
    """The process of the slot is killed while its first job runs."""

    def kill() -> None:
        for _ in range(600):
            for child in psutil.Process().children():
                if "safeconvert.cli.slot" in " ".join(child.cmdline()) and child.children():
                    os.killpg(child.pid, signal.SIGKILL)
                    return
            threading.Event().wait(0.05)

    killer = threading.Thread(target=kill)
    killer.start()
    outcome, _ = run(manifest)
    killer.join()
    assert [entry.state for entry in outcome.entries] == [State.CRASHED, State.DONE, State.DONE]
    assert "SIGKILL" in outcome.entries[0].reason and outcome.exit_code == 4
    again, results = run(manifest, retry_failed=True, only="*same*")
    assert [result.exit_code for _, result in results] == [0] and again.entries[0].attempt == 2


def test_memory_decides_how_many_run_at_a_time() -> None:
    assert slots_for(8, 7 * UNKNOWN // 2, 100) == 3
    assert (
        slots_for(8, UNKNOWN // 2, 100) == 1
        and slots_for(2, 100 * UNKNOWN, 100) == 2
        and slots_for(8, 100 * UNKNOWN, 1) == 1
    )
    large, small = (Job(command, Path("a"), None, None) for command in ("torch2keras", "verify"))
    needs = {"torch2keras": 10, "verify": 2}
    assert _admitted([large, small], {}, needs, 5) is large, "something always runs"
    assert _admitted([large, small], {"x": 4}, needs, 7) is small
    assert _admitted([large], {"x": 4}, needs, 7) is None
