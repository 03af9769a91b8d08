"""What a run took from elsewhere than the defaults is reported: the settings file, and each tolerance that is looser."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.config.origin import Origin, loosened, origin_of
from safeconvert.config.project_file import Project
from safeconvert.config.settings import load_settings
from safeconvert.errors import ExitCode
from safeconvert.report.outcome import Outcome
from safeconvert.report.terminal import print_outcome


def test_defaults_and_stricter_ones_loosen_nothing() -> None:
    strict = VerifySettings("exact", Tolerance(0, 0), {"y": Tolerance(1e-5, 0)})
    assert loosened(VerifySettings(), load_settings()) == loosened(strict, load_settings()) == ()


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (VerifySettings(tolerance=Tolerance(1e9, 1e-5)), "rtol 1e+09 instead of 0.0001"),
        (VerifySettings(tolerance=Tolerance(1e-4, 1)), "atol 1 instead of 1e-05"),
        (VerifySettings(tolerances={"y": Tolerance(1, 0)}), "tolerance of y 1,0 instead of 0.0001,1e-05"),
        (VerifySettings(max_discrepancy=0.5), "max-discrepancy 0.5 instead of 0"),
        (VerifySettings(cosine_threshold=1), "cosine threshold 1 instead of 1e-06"),
        (VerifySettings("top1"), "comparator top1 instead of the choice by output"),
        (VerifySettings("mine:always"), "comparator mine:always instead of the choice by output"),
    ],
)
def test_each_looser_tolerance_is_a_line(settings: VerifySettings, line: str) -> None:
    assert loosened(settings, load_settings()) == (line,)


def test_rounding_that_a_file_loosened_counts_too() -> None:
    settings = load_settings()
    settings = replace(settings, verify=replace(settings.verify, rounding=0.01))
    assert loosened(VerifySettings(), settings) == ("rounding 0.01 instead of 0.001",)


def test_the_file_and_the_looser_tolerances_stand_in_the_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "safeconvert.toml"
    file.write_text("[verify]\nrtol = 1e9\n")
    origin = origin_of(Project(file, {}, named=False))
    assert origin == Origin(file, hashlib.sha256(file.read_bytes()).hexdigest(), False) and origin_of(None) == Origin()
    predicate = {"settings": {"file": file.name, "loosened": ["rtol 1e+09 instead of 0.0001"]}}
    outcome = Outcome(
        ExitCode.VERIFIED, "equal", tmp_path / "m.onnx", None, None, predicate, (), None, settings_file=file
    )
    monkeypatch.chdir(tmp_path)
    print_outcome(outcome, verbose=True)
    shown = capsys.readouterr().out
    assert "settings: safeconvert.toml\n" in shown and shown.count("loosened: rtol 1e+09 instead of 0.0001") == 2
    assert outcome.to_json()["settings_file"] == str(file)
