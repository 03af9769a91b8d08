"""Told to end, a command ends: one line, its exit code, no worker and no scratch left, whenever the signal comes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = ("_worker.py", "_template.py")
FAKES = ROOT / "tests" / "fakes" / "fakes.toml"


def started(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    """The command, its scratch and logs in a folder."""
    (folder / "tmp").mkdir()
    return subprocess.Popen(
        [sys.executable, "-m", "safeconvert", *map(str, arguments)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder,
        env=environment(folder),
    )  # fmt: skip


def environment(folder: Path) -> dict[str, str]:
    """Variables that keep what a run writes in a folder."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(folder / "tmp"), "XDG_STATE_HOME": str(folder)}


def until(holds: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait for a state that is reached sooner or later."""
    while not holds():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def handled(process: subprocess.Popen[str], number: int) -> bool:
    """Whether a process handles a signal by itself, as the kernel says."""
    (line,) = [line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if line[:7] == "SigCgt:"]
    return bool(int(line.split()[1], 16) >> (number - 1) & 1)


def workers(folder: Path) -> list[psutil.Process]:
    """Processes that work in a folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.cwd().startswith(str(folder)) and any(name in " ".join(process.cmdline()) for name in PROGRAMS):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.parametrize(
    ("number", "code", "line"),
    [
        (signal.SIGINT, 130, "interrupted"),
        (signal.SIGTERM, 143, "ended by SIGTERM"),
        (signal.SIGHUP, 129, "ended by SIGHUP"),
    ],
)
def test_while_the_program_still_imports(number: signal.Signals, code: int, line: str, tmp_path: Path) -> None:
    process = started(tmp_path, "torch2onnx", "nosuch.pt")
    until(lambda: handled(process, signal.SIGHUP), process)
    process.send_signal(number)
    out, err = process.communicate()
    assert (process.returncode, out, err) == (code, "", f"{line}\n")


def hanging(source: Path, folder: Path) -> subprocess.Popen[str]:
    """A conversion whose converter never answers, over a file that stands at the output path, once it has a worker."""
    shutil.copy(source, folder / "model.pt")
    (folder / "out.onnx").write_text("of last week")
    process = started(
        folder, "torch2onnx", "model.pt", "-o", "out.onnx", "--route", "fake_hang", "--config", FAKES,
        "--input-shape", "0,3,8,8", "--samples", "14",
    )  # fmt: skip
    until(lambda: workers(folder), process)
    return process


@pytest.mark.converters
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_while_a_worker_is_busy(number: signal.Signals, source: Path, tmp_path: Path) -> None:
    process = hanging(source, tmp_path)
    process.send_signal(number)
    out, err = process.communicate()
    assert (process.returncode, out) == (128 + number, "")
    assert len(err.splitlines()) == 1 and "Traceback" not in err
    psutil.wait_procs(workers(tmp_path), timeout=20)
    assert workers(tmp_path) == []
    assert (tmp_path / "out.onnx").read_text() == "of last week"


@pytest.mark.converters
def test_what_a_killed_run_leaves_is_swept_by_the_next(source: Path, tmp_path: Path) -> None:
    process = hanging(source, tmp_path)
    process.kill()
    process.communicate()
    psutil.wait_procs(workers(tmp_path), timeout=20)
    assert workers(tmp_path) == []
    assert (tmp_path / "out.onnx").read_text() == "of last week"
    assert len(list((tmp_path / "tmp").iterdir())) == 1
    (tmp_path / "tmp" / "mine").mkdir()
    command = [sys.executable, "-m", "safeconvert", "torch2onnx", "nosuch.pt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, env=environment(tmp_path))
    assert done.returncode == 2
    assert [entry.name for entry in (tmp_path / "tmp").iterdir()] == ["mine"]
