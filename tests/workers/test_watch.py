"""What a worker uses is seen with all that it started, without a look at other processes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from safeconvert.workers import watch

TREE = """
import subprocess, sys, threading, time
started = []
thread = threading.Thread(target=lambda: started.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])))
thread.start(); thread.join()
shell = subprocess.Popen(["sh", "-c", "sleep 60 & sleep 60 & wait"])
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def tree() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", TREE], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    while len(psutil.Process(process.pid).children(recursive=True)) < 4:
        time.sleep(0.02)
    yield process
    for member in psutil.Process(process.pid).children(recursive=True):
        member.kill()
    process.kill()
    process.wait()
    process.stdout.close()


def test_it_is_all_that_a_process_started(tree: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {tree.pid, *(child.pid for child in psutil.Process(tree.pid).children(recursive=True))}
    assert len(wanted) == 5 and set(watch.family(tree.pid)) == wanted
    monkeypatch.setattr(watch, "_listed", lambda: False)
    assert set(watch.family(tree.pid)) == wanted, "where no process lists its children"


def test_memory_is_of_all_together(tree: subprocess.Popen[str]) -> None:
    alone = psutil.Process(tree.pid).memory_info().rss
    assert watch.excess(tree.pid, 1 << 40) == ""
    assert watch.excess(tree.pid, alone + 1000) == f"memory grew past the limit of {(alone + 1000) / 2**20:.0f} MiB"


def test_of_a_process_that_is_gone_there_is_nothing() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert list(watch.family(process.pid)) == [process.pid] and watch.excess(process.pid, 0) == ""
