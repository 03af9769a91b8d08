"""One run to an output path at a time, whatever becomes of the run before."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from safeconvert.errors import UnusableInput
from safeconvert.pipeline.lock import await_free, locked

PROGRAM = Path(__file__).parent / "programs" / "hold.py"


def test_a_second_run_is_told_which_process_holds_the_output(tmp_path: Path) -> None:
    target = tmp_path / "m.onnx"
    holder = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(target)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    told = rf"m\.onnx: another run of safeconvert \(process {holder.pid}\) writes it"
    with pytest.raises(UnusableInput, match=told), locked(target):
        pytest.fail("both held it")
    with locked(tmp_path / "other.onnx"):
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with locked(target):
        assert [path.name for path in tmp_path.iterdir()] == [".m.onnx.lock"]
    assert list(tmp_path.iterdir()) == []


def test_it_is_let_go_of_with_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(ValueError), locked(tmp_path / "m.onnx"):
        raise ValueError
    with locked(tmp_path / "m.onnx"):
        pass


def test_who_waits_for_an_output_path_goes_on_when_it_is_free(tmp_path: Path) -> None:
    target, free = tmp_path / "m.onnx", threading.Event()
    await_free(target, 60)  # nobody holds it
    assert not list(tmp_path.iterdir()), "to wait leaves nothing behind"

    def wait() -> None:
        await_free(target, 60)
        free.set()

    with locked(target):
        waiting = threading.Thread(target=wait)
        waiting.start()
        await_free(target, 0.3)  # gives up, and leaves the word to who takes it
        assert not free.is_set()
    waiting.join(30)
    assert free.is_set()
