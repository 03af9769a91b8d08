"""What a worker may print, answer and use: bounded, and a message where it goes past."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from safeconvert.core.containment import Mode
from safeconvert.errors import AdapterFailure
from tests.workers.containment.conftest import HOSTILE, Attack
from tests.workers.containment.conftest import attacker as attacker

MODES = pytest.mark.parametrize("mode", [Mode.AUTO, Mode.OFF])


def test_a_log_keeps_its_beginning_and_its_end(attacker: Attack) -> None:
    worker = attacker()
    assert worker.tries("chatter", lines=20_000) == "printed"  # 20 MB
    worker.worker.close()
    text = worker.worker.log.read_text()
    assert len(text) <= 4 << 20
    assert text.startswith("0 xxx") and text.endswith("the end\n") and "is left out" in text


def test_a_short_log_is_whole(attacker: Attack) -> None:
    worker = attacker()
    worker.tries("chatter", lines=3)
    worker.worker.close()
    assert len(worker.worker.log.read_text().splitlines()) == 4


@MODES
def test_an_endless_reply_is_cut_off(mode: Mode, attacker: Attack) -> None:
    with pytest.raises(AdapterFailure, match="reply grew past 16 MiB"):
        attacker(mode, seconds=500).tries("endless")


@MODES
def test_a_reply_that_drips_does_not_outlast_the_time_limit(mode: Mode, attacker: Attack) -> None:
    with pytest.raises(AdapterFailure, match="no answer within the time limit of 2 s"):
        attacker(mode, seconds=2).tries("slow_drip")


@pytest.mark.parametrize("text", ["nonsense", "[]", '{"result"', '{"error": 3}', "[" * 100_000])
def test_a_reply_that_is_none_is_the_adapters_failure(text: str, attacker: Attack) -> None:
    with pytest.raises(AdapterFailure, match="reply is none"):
        attacker().tries("garbage", text=text)


def test_threads_are_counted(attacker: Attack) -> None:
    with pytest.raises(AdapterFailure, match="more than 2048 threads"):
        attacker(memory=32 << 30).tries("threads", count=2200)


@pytest.mark.parametrize("function", ["", "spin", "sleep_with_child"])
def test_a_worker_dies_with_its_parent(function: str, tmp_path: Path) -> None:
    """Idle, busy in a loop, or asleep with a child of its own."""
    root = str(Path(__file__).parents[2])
    parent = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "programs" / "parent.py"), str(tmp_path), str(HOSTILE), function],
        stdout=subprocess.PIPE, stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}, text=True,
    )  # fmt: skip
    assert parent.stdout is not None
    group = int(parent.stdout.readline())
    if function == "sleep_with_child":
        _until((tmp_path / "child").exists)
    assert _members(group)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    _until(lambda: not _members(group))


def _members(group: int) -> list[int]:
    """Processes of a group that live."""
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
        except (ProcessLookupError, psutil.Error):
            continue
    return found


def _until(holds, seconds: float = 20) -> None:  # type: ignore[no-untyped-def]
    """Wait for something that happens at once where nothing else runs; it fails where it never does."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
