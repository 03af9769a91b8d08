"""What every error carries."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from safeconvert.cli.errors import people_errors
from safeconvert.conversion.models import cause_of
from safeconvert.errors import AdapterFailure, ExitCode, SafeconvertError, UnusableInput


def test_a_failure_of_an_adapter_is_an_error_for_a_person(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = tmp_path / "convert.log"
    log.touch()
    failure = AdapterFailure("tf2onnx", "converting m.keras", "RuntimeError: no kernel", log, died=True)
    with pytest.raises(typer.Exit) as ended, people_errors(as_json=False):
        raise failure
    assert ended.value.exit_code == ExitCode.NO_VERDICT
    assert capsys.readouterr().err.splitlines() == [
        "error: tf2onnx failed while converting m.keras: RuntimeError: no kernel",
        f"  log: {log}",
    ]


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (AdapterFailure("a", "loading", "the limit", Path("x.log")), "the limit"),
        (UnusableInput("m.onnx: no model\nat all"), "m.onnx: no model"),
    ],
)
def test_every_error_has_a_cause_of_one_line(error: SafeconvertError, cause: str) -> None:
    assert cause_of(error) == cause
