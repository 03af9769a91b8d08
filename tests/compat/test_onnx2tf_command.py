"""`python -m safeconvert.compat.onnx2tf`: what it writes, and that each of it is verified."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from safeconvert.compat import onnx2tf
from safeconvert.errors import UnusableInput
from tests.command import ROOT


def _outputs(*words: str) -> list[tuple[str, str, str]]:
    jobs = onnx2tf.jobs(onnx2tf.parse([*words]))
    return [(job.target_format, str(job.output), job.optimize) for job in jobs]


def test_the_files_are_those_that_onnx2tf_writes() -> None:
    plain = [
        ("tf", "saved_model", "none"),
        ("tflite", "saved_model/net_float32.tflite", "none"),
        ("tflite", "saved_model/net_float16.tflite", "float16"),
    ]
    assert _outputs("-i", "a/net.onnx") == plain
    assert _outputs("-i", "net.onnx", "-o", "out", "-okv3", "-odrqt")[1:] == [
        ("tflite", "out/net_float32.tflite", "none"),
        ("tflite", "out/net_float16.tflite", "float16"),
        ("tflite", "out/net_dynamic_range_quant.tflite", "default"),
        ("keras", "out/net_float32.keras", "none"),
    ]


def test_tolerances_and_silence_are_taken_over() -> None:
    command = onnx2tf.parse(["-i", "m.onnx", "-cotor", "1e-3", "-cotoa", "0.5", "-coto", "-n", "-osd", "-nuo"])
    assert (command.rtol, command.atol, command.quiet) == (1e-3, 0.5, True)
    assert onnx2tf.parse(["-i", "m.onnx", "-v", "error"]).quiet and not onnx2tf.parse(["-i", "m.onnx"]).quiet
    with pytest.raises(UnusableInput, match="-cotor much: not a number"):
        onnx2tf.parse(["-i", "m.onnx", "-cotor", "much"])
    with pytest.raises(UnusableInput, match=r"-i \(--input_onnx_file_path\) is needed"):
        onnx2tf.parse(["-o", "there"])


@pytest.mark.slow
@pytest.mark.converters
def test_a_model_becomes_a_folder_whose_certificate_still_holds(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "safeconvert.toml").write_text("[flags]\nsamples = 12\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "safeconvert.compat.onnx2tf", "-i", str(whole / "model.onnx"), "-o", "out", "-n"],
        cwd=tmp_path, capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0 and done.stdout == "", done.stdout + done.stderr
    assert {path.name for path in (tmp_path / "out").glob("*.tflite")} == {
        "model_float32.tflite",
        "model_float16.tflite",
    }
    assert (tmp_path / "out" / "saved_model.pb").exists()
    for certificate in ("out.certificate.json", "out/model_float32.tflite.certificate.json"):
        check = [sys.executable, "-m", "safeconvert.cli", "check", certificate]
        assert subprocess.run(check, cwd=tmp_path, env=environment, capture_output=True, check=False).returncode == 0
