"""One run to an output path at a time, whatever becomes of the run before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from safeconvert.errors import UnusableInput
from safeconvert.pipeline.lock import locked

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
