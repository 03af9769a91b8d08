"""A source that mixes the samples of a call is told why, where its layers say so."""

from __future__ import annotations

from pathlib import Path

import pytest

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.config.settings import load_settings
from safeconvert.core.formats import detect
from safeconvert.core.progress import Phases
from safeconvert.verification.mixing import mixing_layers
from safeconvert.verification.snapshot import snapshot
from safeconvert.workers.run import Run, open_run
from tests.command import safeconvert
from tests.program import TORCH, run_program

pytestmark = pytest.mark.converters


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("training")
    run_program(Path(__file__).parent / "programs" / "batch_statistics.py", folder, modules=TORCH)
    return folder


@pytest.mark.parametrize("name", ["training.pt", "training.pt2"])
def test_a_batchnorm_in_training_mode_is_named(
    name: str, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with open_run(load_settings(), Phases()) as run:
        (line,) = _lines(run, models / name)
    assert "BatchNorm at 1 is in training mode" in line and "model.eval()" in line


def test_the_verdict_says_it(models: Path, tmp_path: Path) -> None:
    called = safeconvert(
        "torch2onnx", models / "training.pt", "-o", tmp_path / "a.onnx", "--samples", "12", "--input-shape", "6,5",
        "--route", "torch_onnx_script", "--no-repair",
    )  # fmt: skip
    assert "remark: the source mixes the samples of a call: BatchNorm at 1 is in training mode" in called.text


def test_a_source_of_another_kind_is_told_nothing(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with open_run(load_settings(), Phases()) as run:
        for path in (whole / "model.keras", whole / "script.pt"):
            assert _lines(run, path) == ()


def _lines(run: Run, path: Path) -> tuple[str, ...]:
    file = snapshot(run, detect(path))
    return mixing_layers(run, file, ModelRequest(str(file.path)))
