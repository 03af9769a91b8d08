"""Several hosts whose templates are forked from one that imported for all of them."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil
import pytest

from safeconvert.core.containment import Level, Mode
from safeconvert.workers.grants import policy_for
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.template import Template
from safeconvert.workers.template_server import opened, serving
from safeconvert.workers.templates import Templates
from safeconvert.workers.worker import Limits, Worker

STATE = Path(__file__).parent / "state"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="templates are for Linux")


class Host:
    """What a process with templates of its own has; here several in one process."""

    def __init__(self, server: Template, folder: Path) -> None:
        self.told: list[int] = []
        self.templates = Templates(opened(os.dup(server.fileno()), self.told.append))
        policy = policy_for(Mode.REQUIRE, [STATE.parent], [folder], 4 << 30)
        limits = Limits(120, 4 << 30)
        self.worker = Worker(Path(sys.executable), folder / "log", limits, folder, policy, templates=self.templates)

    def look(self) -> dict[str, Any]:
        request = CallFunction(STATE, "look", {"names": ["onnxruntime", "torch"]}, ("onnx", "onnxruntime"))
        found: dict[str, Any] = self.worker.call("state", "look", request)
        return found

    def close(self) -> None:
        self.worker.close()
        self.templates.close()


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[tuple[Host, Host]]:
    with serving() as server, ExitStack() as stack:
        assert server is not None
        made = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            made.append(Host(server, tmp_path / name))
            stack.callback(made[-1].close)
        yield made[0], made[1]


def test_what_two_hosts_import_is_imported_once(hosts: tuple[Host, Host]) -> None:
    one, two = (host.look() for host in hosts)
    for found, host in zip((one, two), hosts, strict=True):
        assert found["program"] == "_template.py" and found["modules"] == ["onnxruntime"]
        assert host.worker.held is not None and host.worker.held.level is Level.FULL
        assert host.told == [found["parent"]], "whose workers it measures"
    assert one["parent"] != two["parent"], "each has templates of its own"
    assert psutil.Process(one["parent"]).ppid() == psutil.Process(two["parent"]).ppid()


def test_a_host_that_ends_takes_its_own_with_it(hosts: tuple[Host, Host]) -> None:
    one, two = (host.look() for host in hosts)
    hosts[0].templates.close()
    _until(lambda: not _lives(one["pid"]) and not _lives(one["parent"]))
    assert _lives(two["pid"]) and hosts[1].look()["pid"] == two["pid"]


def test_where_the_shared_one_died_a_host_imports_by_itself(hosts: tuple[Host, Host]) -> None:
    shared = psutil.Process(hosts[0].look()["parent"]).ppid()
    os.kill(shared, signal.SIGKILL)
    _until(lambda: not _lives(shared))
    found = hosts[1].look()
    assert found["modules"] == ["onnxruntime"] and hosts[1].told == []


def test_under_other_variables_a_host_imports_by_itself(
    hosts: tuple[Host, Host], monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = psutil.Process(hosts[0].look()["parent"]).ppid()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert psutil.Process(hosts[1].look()["parent"]).ppid() != shared and hosts[1].told == []


def test_behind_it_all_is_over(tmp_path: Path) -> None:
    with serving() as server:
        assert server is not None
        host = Host(server, tmp_path)
        found = host.look()
        shared = psutil.Process(found["parent"]).ppid()
        host.close()
    _until(lambda: not _lives(shared) and not _lives(found["parent"]))


def _lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _until(condition: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.02)
