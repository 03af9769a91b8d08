"""A batch on a Ray cluster of three nodes on this machine: a node is killed while its jobs run, and every job comes to its end once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from safeconvert.app.batch import BatchOptions, Engine, run_batch
from safeconvert.batch.job import Job, Result
from safeconvert.errors import UnusableInput
from tests.batch.test_engine import linear

JOBS = 6


def test_a_cluster_that_is_not_there_is_named(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is not installed")
    with pytest.raises(UnusableInput, match=r"--address 127\.0\.0\.1:9: no Ray cluster is there"):
        run_batch(options(manifest(tmp_path), "127.0.0.1:9"), lambda job, result: None)


def test_without_ray_the_engine_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(UnusableInput, match="Ray is not installed") as error:
        run_batch(options(manifest(tmp_path), ""), lambda job, result: None)
    assert "safeconvert[ray]" in error.value.advice


def manifest(folder: Path) -> Path:
    linear(folder / "source.onnx", 1.0)
    entries = []
    for number in range(JOBS):
        linear(folder / f"target{number}.onnx", 1.0)
        entries.append({"command": "verify", "source": "source.onnx", "target": f"target{number}.onnx"})
    path = folder / "jobs.jsonl"
    path.write_text("\n".join(map(json.dumps, entries)))
    return path


def options(path: Path, address: str) -> BatchOptions:
    return BatchOptions(path, path.parent / "r", engine=Engine.RAY, address=address)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pytest.importorskip("ray", reason="Ray is not installed")
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_health_check_period_ms", "500")
    from ray.cluster_utils import Cluster

    made = Cluster(
        initialize_head=True,
        head_node_args={"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False},
    )
    for _ in range(2):
        made.add_node(num_cpus=1, object_store_memory=80 << 20)
    yield made
    made.shutdown()


def busy(node: Any) -> bool:
    """Whether a job of a slot runs on a node: a worker was forked from a template there."""
    [raylet] = node.all_processes["raylet"]
    found = psutil.Process(raylet.process.pid).children(recursive=True)
    return any(child.is_running() and "_template.py" in " ".join(child.cmdline()) for child in found)


@pytest.mark.slow
@pytest.mark.converters
def test_a_node_that_dies_costs_no_job(cluster: Any, tmp_path: Path) -> None:
    [doomed, _] = cluster.worker_nodes
    killed = threading.Event()

    def kill() -> None:
        while not busy(doomed):
            killed.wait(0.05)
        cluster.remove_node(doomed, allow_graceful=False)
        killed.set()

    killer = threading.Thread(target=kill)
    killer.start()
    results: list[tuple[Job, Result]] = []
    outcome = run_batch(options(manifest(tmp_path), cluster.address), lambda *one: results.append(one))
    killer.join()
    assert killed.is_set() and outcome.exit_code == 0
    assert [entry.verdict for entry in outcome.entries] == ["verified"] * JOBS
    assert sorted(job.name for job, _ in results) == sorted(entry.name for entry in outcome.entries), "none came twice"
    begun = [line for log in (tmp_path / "r" / "logs").glob("slot-*.log")
             for line in log.read_text().splitlines() if line.startswith("safeconvert verify")]  # fmt: skip
    assert len(begun) > JOBS == len(set(begun)), "what ran on the node was begun again elsewhere"
    again = run_batch(options(tmp_path / "jobs.jsonl", cluster.address), lambda *one: results.append(one))
    assert not again.plan.run and len(results) == JOBS
