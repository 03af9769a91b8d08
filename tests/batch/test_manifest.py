"""Manifests: what is read, and what is refused with the job's name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from safeconvert.batch.job import Job
from safeconvert.batch.manifest import folder_jobs, read_manifest
from safeconvert.errors import UnusableInput


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for name in ("a.pt", "b.pt", "c.onnx"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def lines(folder: Path, *entries: object) -> Path:
    path = folder / "jobs.jsonl"
    path.write_text("\n".join(json.dumps(entry) for entry in entries))
    return path


def test_toml_with_defaults_and_paths_relative_to_it(models: Path) -> None:
    (models / "m.toml").write_text(
        "[defaults]\nsamples = 32\nopset = 17\n"
        '[[jobs]]\ncommand = "torch2onnx"\nsource = "a.pt"\noutput = "out/a.onnx"\nflags = { seed = 3, samples = 8 }\n'
        '[[jobs]]\ncommand = "verify"\nsource = "a.pt"\ntarget = "c.onnx"\n'
    )
    one, two = read_manifest(models / "m.toml", models / "results")
    assert one == Job(
        "torch2onnx", models / "a.pt", None, models / "out" / "a.onnx", {"opset": 17, "samples": 8, "seed": 3}
    )
    assert two == Job("verify", models / "a.pt", models / "c.onnx", None, {"samples": 32}), "verify has no opset"
    assert one.arguments()[:4] == ["torch2onnx", str(models / "a.pt"), "--output", str(models / "out" / "a.onnx")]
    assert one.arguments()[4:] == ["--opset", "17", "--samples", "8", "--seed", "3", "--json"]


def test_a_job_without_output_writes_into_the_results(models: Path) -> None:
    [job] = read_manifest(lines(models, {"command": "torch2tf", "source": "a.pt"}), models / "results")
    assert job.output == models / "results" / "a_saved_model"


def test_a_folder_and_a_pattern(models: Path) -> None:
    jobs = folder_jobs(models, "*.pt", "torch2keras", models / "results")
    assert [job.output.name for job in jobs if job.output] == ["a.keras", "b.keras"]


A = {"command": "torch2onnx", "source": "a.pt", "output": "a.onnx"}


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([A | {"sourse": "b.pt"}], "job 1: unknown key sourse"),
        ([A | {"command": "torch2onx"}], "did you mean torch2onnx"),
        ([A | {"source": "gone.pt"}], "gone.pt is not there"),
        ([A, A | {"source": "b.pt"}], "two jobs write"),
        ([A, {"command": "onnx2torch", "source": "c.onnx", "output": "a.pt"}], "which onnx2torch"),
        ([A, A | {"source": "b.pt", "output": "gone/../a.onnx"}], "two jobs write"),
        ([A, A | {"source": "b.pt", "output": "a.onnx/part"}], "two jobs write"),
        (
            [A, {"command": "verify", "source": "a.pt", "target": "c.onnx", "flags": {"certificate": "a.onnx"}}],
            "two jobs",
        ),
        (
            [{"command": "verify", "source": "a.pt", "target": "c.onnx", "flags": {"junit": "j.xml"}}] * 2,
            "two jobs write",
        ),
        ([A | {"output": "b.pt"}, {"command": "onnx2torch", "source": "c.onnx", "output": "a.pt"}], "which onnx2torch"),
        ([A | {"flags": {"inputs": "x"}}, {"command": "onnx2torch", "source": "c.onnx", "output": "x"}], "reads"),
        ([A | {"output": "a.pt"}], "reads"),
        ([A | {"flags": {"report": "x.html"}}], "unknown flag"),
        ([A | {"flags": {"sample": 3}}], "did you mean samples"),
        ([A | {"flags": {"samples": "many"}}], "is not of type int"),
        ([A | {"flags": {"json": True}}], "unknown flag"),
        ([{"command": "verify", "source": "a.pt", "target": "c.onnx", "output": "x"}], "verify writes no target"),
        ([{"command": "repair", "source": "a.pt", "target": "c.onnx"}], "names no output"),
        ([[1, 2]], "is no table"),
        ([], "holds no jobs"),
    ],
)
def test_what_is_wrong_is_named(models: Path, entries: list[object], says: str) -> None:
    with pytest.raises(UnusableInput) as error:
        read_manifest(lines(models, *entries), models / "results")
    assert says in f"{error.value.message} {error.value.advice}"


def test_a_line_that_is_no_json_is_named_by_its_number(models: Path) -> None:
    (models / "jobs.jsonl").write_text(json.dumps(A) + "\n{\n")
    with pytest.raises(UnusableInput, match="line 2"):
        read_manifest(models / "jobs.jsonl", models)


def test_jobs_that_differ_in_flags_alone_are_two(models: Path) -> None:
    """Under one name the second would take the first one's place in the ledger, and its verdict with it."""
    pair = {"command": "verify", "source": "a.pt", "target": "c.onnx"}
    jobs = read_manifest(lines(models, pair, pair | {"flags": {"seed": 3}}), models)
    assert jobs[1].name == f"{jobs[0].name} #2" and jobs[0].fingerprint() != jobs[1].fingerprint()


def test_a_settings_file_that_is_found_counts_as_a_flag(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(models)
    [job] = read_manifest(lines(models, A), models)
    (models / ".git").mkdir()
    before = job.fingerprint()
    (models / "safeconvert.toml").write_text("[verify]\nrtol = 0.5\n")
    assert job.fingerprint() != before
