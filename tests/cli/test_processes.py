"""Every command and every exit code once as a user calls it: a process of its own, found as a module, whose streams are pipes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import typer

from safeconvert.cli.app import app
from safeconvert.errors import ExitCode
from tests.command import ROOT, Called, safeconvert_process

FAKES = ROOT / "tests" / "fakes"
SHAPE = ("--input-shape", "0,3,8,8", "--samples", "14")
CONVERSIONS = {f"{one}2{other}" for one in ("torch", "keras", "tf", "tflite", "onnx")
               for other in ("torch", "keras", "tf", "tflite", "onnx") if one != other}  # fmt: skip
ELSEWHERE = {"demo": "README.md, run by tests/docs", "attest": "docs/certificate.md, run by tests/docs",
             "prove": "docs/proof.md, run by tests/docs"}  # fmt: skip
CALLED = {
    "convert", "torch2onnx", "verify", "localize", "repair", "check", "show", "keygen", "report", "gate", "explain", "config",
    "adapters", "pack", "batch", "merge",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model, a right target and a wrong one, each converted by a process."""
    made = tmp_path_factory.mktemp("processes")
    shutil.copy(source, made / "model.pt")
    right = convert(made, "torch2onnx", "right.onnx", "--route", "fake_right", "--json")
    assert right.code == ExitCode.VERIFIED and right.json["verdict"] == "verified" and right.err == "", right.text
    wrong = convert(made, "convert", "wrong.onnx", "--to", "onnx", "--route", "fake_wrong_weight", "--no-repair")
    assert wrong.code == ExitCode.NOT_EQUIVALENT and "fault WB" in wrong.out, wrong.text
    return made


def convert(folder: Path, command: str, output: str, *options: object, config: str = "fakes.toml") -> Called:
    return safeconvert_process(
        command, "model.pt", "-o", output, "--config", FAKES / config, *SHAPE, *options, cwd=folder
    )


def test_every_command_is_called_here_or_on_a_page() -> None:
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert commands - CONVERSIONS == (CALLED | set(ELSEWHERE)) - CONVERSIONS


def test_a_batch_says_what_it_would_run(tmp_path: Path) -> None:
    (tmp_path / "m.pt").write_bytes(b"a model")
    (tmp_path / "jobs.jsonl").write_text('{"command": "torch2onnx", "source": "m.pt", "output": "m.onnx"}')
    called = safeconvert_process("batch", "jobs.jsonl", "--dry-run", cwd=tmp_path)
    assert called.code == 0 and "1 to run, 0 done" in called.out, called.text
    (tmp_path / "jobs.jsonl").write_text('{"command": "torch2onx"}')
    called = safeconvert_process("batch", "jobs.jsonl", cwd=tmp_path)
    assert called.code == 2 and "did you mean torch2onnx" in called.err, called.text


@pytest.mark.converters
@pytest.mark.parametrize(
    ("route", "config", "code", "says"),
    [
        ("fake_raises", "fakes.toml", ExitCode.NO_ROUTE, "unsupported padding"),
        ("torch_onnx_script", "runtimes.toml", ExitCode.NO_VERDICT, "the target does not run"),
        ("fake_nowhere", "fakes.toml", ExitCode.UNUSABLE_INPUT, "fake_nowhere"),
    ],
)
def test_what_gives_no_target_has_its_exit_code(route: str, config: str, code: int, says: str, folder: Path) -> None:
    called = convert(folder, "torch2onnx", "none.onnx", "--route", route, config=config)
    assert called.code == code and says in called.text and "Traceback" not in called.text, called.text
    assert not (folder / "none.onnx").exists()


@pytest.mark.converters
@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("verify", "model.pt", "right.onnx", *SHAPE), 0, "verified"),
        (("verify", "model.pt", "wrong.onnx.rejected", *SHAPE), 1, "not equivalent"),
        (("localize", "model.pt", "wrong.onnx.rejected", *SHAPE), 1, "fault WB"),
        (("repair", "model.pt", "wrong.onnx.rejected", "-o", "fixed.onnx", *SHAPE), 0, "verified"),
        (("check", "right.onnx.certificate.json"), 0, ""),
        (("check", "wrong.onnx.rejected.certificate.json"), 1, "not 'verified'"),
        (("check", "nowhere.json"), 2, "nowhere.json"),
        (("show", "right.onnx.certificate.json"), 0, "verified"),
        (("report", "right.onnx.certificate.json"), 0, "html"),
        (("gate", "."), 1, "wrong.onnx"),
        (("pack", "right.onnx.certificate.json", "-o", "issue"), 0, "no unrepaired fault"),
        (("pack", "nowhere.json", "-o", "issue"), 2, "error: "),
        (("merge", "right.onnx.certificate.json", "-o", "whole.json"), 2, "shard"),
        (("keygen", "key"), 0, "key"),
        (("explain", "WB"), 0, "WB"),
        (("explain", "nothing of the kind"), 2, "error: "),
        (("config",), 0, "precedence"),
        (("adapters", "--help"), 0, "Example"),
        (("nonsense",), 2, "No such command"),
    ],
)  # fmt: skip
def test_a_command_ends_with_its_exit_code(arguments: tuple[str, ...], code: int, says: str, folder: Path) -> None:
    called = safeconvert_process(*arguments, cwd=folder)
    assert called.code == code, called.text
    assert says in called.text and "Traceback" not in called.text, called.text
