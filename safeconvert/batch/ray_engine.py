"""The engine for a Ray cluster: each job is a Ray task with its needs; where it runs, and where again after a node's death, is Ray's.

A task runs in a slot of its Ray worker process (`batch.slot`), which stays there between tasks, so that frameworks are imported once a
worker process. Where that dies, its slot ends with it. Files are read and written by their paths, which all nodes share.
Source: Ray's task fault tolerance (docs.ray.io, "Task Fault Tolerance"): a task whose node or process died is run again, at most
`max_retries` times; one that was ended for memory is run again without limit.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from safeconvert.batch.engine import UNKNOWN, Ended
from safeconvert.batch.job import Job, Result, State
from safeconvert.batch.ledger import Ledger
from safeconvert.batch.slot import Slot
from safeconvert.core.text import first_line
from safeconvert.errors import UnusableInput

RETRIES = 3
"""How often Ray runs a job again whose node or process died."""

_PASSED_ON = ("XDG_DATA_HOME",)
"""Variable that says where the adapters' environments are; tasks get them as their runtime environment."""

_AHEAD = 2
"""Tasks that are handed to Ray for each processor of the cluster: enough that none waits for this process."""

_CONNECT_SECONDS = 5.0


def run_on_ray(jobs: Sequence[Job], ledger: Ledger, logs: Path, address: str, ended: Ended) -> None:
    """Run jobs to their ends and enter each in the ledger, once.

    Args:
        jobs: in the order in which Ray is given them.
        ledger: has an entry for each; only this process writes to it.
        logs: folder of the slots' logs.
        address: of a cluster, as `ray.init` takes it; "" starts Ray on this machine.
        ended: told of each result, after the ledger.

    Raises:
        UnusableInput: Ray is not installed, or there is no cluster at the address.
    """
    logs.mkdir(parents=True, exist_ok=True)
    with _connected(address) as ray:
        submit = _submitter(ray, logs)
        needs, waiting = ledger.peaks(), list(jobs)
        running: dict[Any, Job] = {}
        most = _largest_node(ray)
        while waiting or running:
            while waiting and len(running) < _AHEAD * max(1.0, ray.cluster_resources().get("CPU", 1.0)):
                job = waiting.pop(0)
                ledger.begin(job.name)
                running[submit(job, min(needs.get(job.command, UNKNOWN), most))] = job
            [done, *_], _ = ray.wait(list(running), num_returns=1)
            job = running.pop(done)
            result = _result(ray, done)
            needs[job.command] = max(needs.get(job.command, 0), result.peak) or UNKNOWN
            ledger.end(job.name, result)
            ended(job, result)


def run_task(job: Job, logs: Path, folder: Path) -> Result:
    """One job, in this Ray worker process' slot.

    Args:
        job: with absolute paths.
        logs: of the slots.
        folder: working folder of the job, from which a settings file is looked for.
    """
    return _slot(logs, folder).run(job)


@cache
def _slot(logs: Path, folder: Path) -> Slot:
    return Slot(f"{socket.gethostname()}-{os.getpid()}", logs, folder)


def _submitter(ray: Any, logs: Path) -> Callable[[Job, int], Any]:
    task = ray.remote(run_task)
    variables = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    shared = {"runtime_env": {"env_vars": variables}} if variables else {}

    def submit(job: Job, memory: int) -> Any:
        needs = {"num_cpus": 1, "memory": memory, "max_retries": RETRIES, "name": job.name, **shared}
        return task.options(**needs).remote(job, logs, Path.cwd())

    return submit


def _largest_node(ray: Any) -> int:
    """Bytes of the largest node: what needs more than is measured anywhere still runs, alone."""
    sizes = [int(node["Resources"].get("memory", 0)) for node in ray.nodes() if node["Alive"]]
    return max(sizes, default=UNKNOWN)


def _result(ray: Any, done: Any) -> Result:
    try:
        result: Result = ray.get(done)
    except ray.exceptions.RayError as error:
        reason = f"Ray gave it up: {type(error).__name__}: {first_line(str(error))}"
        return Result(State.CRASHED, None, "", reason, "", 0.0, 0)
    return result


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """Ray, connected; what it started here ends on the way out."""
    try:
        import ray
    except ImportError as error:
        raise UnusableInput("--engine ray: Ray is not installed", "pip install 'safeconvert[ray]'") from error
    _require_reachable(address)
    try:
        ray.init(
            address=address or None,
            log_to_driver=False,
            configure_logging=False,
            include_dashboard=False if not address else None,
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise _no_cluster(address, first_line(str(error))) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def _require_reachable(address: str) -> None:
    """Ray itself waits a minute for a cluster that is not there, and then ends the process."""
    host, _, port = address.rpartition("//")[2].rpartition(":")
    if not (host and port.isdecimal()):
        return
    try:
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise _no_cluster(address, str(error)) from error


def _no_cluster(address: str, cause: str) -> UnusableInput:
    return UnusableInput(
        f"--address {address or 'none'}: no Ray cluster is there: {cause}",
        "start one with `ray start --head`, or leave out --address for one on this machine",
    )
