"""What stands in examples/, action.yml and .pre-commit-hooks.yaml, run as a build, GitHub and pre-commit run it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.command import ROOT, safeconvert

if TYPE_CHECKING:
    from tests.conftest import Converted

EXAMPLES = ROOT / "examples"
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "PYTHONPATH": str(ROOT),
}
OBLIGATION = "input x: target takes the source's dimensions in the order [0, 2, 3, 1]"


def run(*words: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in words], cwd=cwd, env={**ENVIRONMENT, **environment}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.fixture
def project(whole: Path, tmp_path: Path) -> Path:
    """A folder with the examples and one model."""
    folder = tmp_path / "project"
    shutil.copytree(EXAMPLES, folder)
    (folder / "models").mkdir()
    shutil.copy(whole / "program.pt2", folder / "models" / "classifier.pt2")
    return folder


@pytest.mark.converters
@pytest.mark.skipif(shutil.which("make") is None, reason="make is not here")
def test_the_makefile_converts_once_and_gates(project: Path) -> None:
    done = run("make", "gate", cwd=project)
    assert done.returncode == 0 and "all 1 pass" in done.stdout, done.stdout + done.stderr
    assert ET.parse(project / "build" / "classifier.xml").getroot().get("failures") == "0"
    assert "torch2onnx" not in run("make", "-n", cwd=project).stdout
    os.utime(project / "models" / "classifier.pt2")
    assert "torch2onnx" in run("make", "-n", cwd=project).stdout
    (project / "build" / "classifier.onnx").write_bytes(b"other")
    again = run("make", "-t", cwd=project)  # as if it were up to date
    gated = run("make", "gate", cwd=project)
    assert again.returncode == 0 and gated.returncode != 0 and "must not pass" in gated.stdout


@pytest.mark.slow
@pytest.mark.converters
@pytest.mark.skipif(shutil.which("cmake") is None or shutil.which("make") is None, reason="cmake or make is not here")
def test_cmake_builds_and_ctest_gates(project: Path) -> None:
    model = project / "models" / "classifier.pt2"
    configured = run("cmake", "-S", ".", "-B", "build", "-G", "Unix Makefiles", f"-DMODEL={model}", cwd=project)
    assert configured.returncode == 0, configured.stderr
    built = run("cmake", "--build", "build", cwd=project)
    assert built.returncode == 0 and (project / "build/models/classifier.onnx").exists(), built.stdout + built.stderr
    assert run("ctest", "--test-dir", "build", cwd=project).returncode == 0
    (project / "build/models/classifier.onnx.certificate.json").unlink()
    assert run("ctest", "--test-dir", "build", cwd=project).returncode != 0


@pytest.mark.slow
@pytest.mark.converters
def test_the_python_script_builds_once_and_says_what_is_wrong(project: Path) -> None:
    done = run(sys.executable, "build.py", "models", "build", cwd=project)
    assert done.returncode == 0 and "equal to the" in done.stdout, done.stdout + done.stderr
    assert "up to date" in run(sys.executable, "build.py", "models", "build", cwd=project).stdout
    (project / "models" / "broken.pt2").write_bytes(b"no model")
    wrong = run(sys.executable, "build.py", "models", "build", cwd=project)
    assert wrong.returncode == 1 and "broken.pt2" in wrong.stderr and "Traceback" not in wrong.stderr


def action(inputs: dict[str, str], folder: Path) -> tuple[int, dict[str, str], str]:
    """Run the action's own steps in a folder; exit code of the last, its outputs, and all that was printed."""
    spec = yaml.safe_load((ROOT / "action.yml").read_text())
    assert spec["runs"]["using"] == "composite"
    assert set(inputs) <= set(spec["inputs"])
    values = {name: inputs.get(name, item.get("default")) for name, item in spec["inputs"].items()}
    assert all(value is not None for value in values.values()), "a required input is missing"
    known = {**{f"inputs.{name}": value for name, value in values.items()}, "github.action_path": str(ROOT)}

    def filled(text: str) -> str:
        return re.sub(r"\$\{\{\s*([\w.-]+)\s*\}\}", lambda match: str(known[match[1]]), text)

    code, printed = 0, ""
    github = {name: folder / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for path in github.values():
        path.touch()
    for step in spec["runs"]["steps"]:
        if "uses" in step:
            assert re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"])
            assert {filled(str(value)) for value in step["with"].values()} >= {values["artifact"], values["results"]}
            continue
        assert step["shell"] == "bash" and "${{" not in step["run"], "inputs must not become text of a script"
        if step.get("if") == "inputs.install == 'true'" and values["install"] != "true":
            continue
        own = {name: filled(str(value)) for name, value in step.get("env", {}).items()}
        script = folder / "step.sh"
        script.write_text(step["run"])
        done = run("bash", "--noprofile", "--norc", "-eo", "pipefail", script, cwd=folder, **own,
                   **{name: str(path) for name, path in github.items()})  # fmt: skip
        code, printed = done.returncode, printed + done.stdout + done.stderr
    outputs = dict(line.split("=", 1) for line in github["GITHUB_OUTPUT"].read_text().splitlines())
    return code, outputs, printed


@pytest.mark.slow
@pytest.mark.converters
def test_the_action_converts_and_leaves_certificate_and_report(whole: Path, tmp_path: Path) -> None:
    source = tmp_path / "a model.pt2"
    shutil.copy(whole / "program.pt2", source)
    given = {"command": "convert", "path": source.name, "to": "onnx", "output": "out.onnx", "flags": "--samples 14",
             "install": "false"}  # fmt: skip
    code, outputs, printed = action(given, tmp_path)
    assert code == 0 and outputs == {"exit-code": "0", "certificate": "out.onnx.certificate.json"}, printed
    names = {path.name for path in (tmp_path / "safeconvert-results").iterdir()}
    assert {"out.onnx.certificate.json", "report.html", "junit.xml", "summary.txt"} <= names
    assert "verified" in (tmp_path / "GITHUB_STEP_SUMMARY").read_text()


@pytest.mark.converters
def test_the_action_gates(verified: Converted, refuted: Converted, tmp_path: Path) -> None:
    code, outputs, _ = action({"path": str(verified.model), "install": "false"}, tmp_path)
    assert (code, outputs["exit-code"]) == (0, "0")
    code, outputs, printed = action({"path": f"{verified.model} {refuted.model}", "install": "false"}, tmp_path)
    assert (code, outputs["exit-code"]) == (1, "1") and "verdict" in printed
    code, _, printed = action({"path": ".", "command": "explode; touch evil", "install": "false"}, tmp_path)
    assert code == 2 and "::error::" in printed and not (tmp_path / "evil").exists()


@pytest.mark.slow
def test_the_action_installs_its_own_checkout(tmp_path: Path) -> None:
    pytest.importorskip("pip", reason="pip is not here")
    spec: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    step = spec["runs"]["steps"][0]
    # "0" turns isolation off: pip reads this variable the other way round
    dry = {"PIP_DRY_RUN": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_IGNORE_INSTALLED": "1"}
    done = run("bash", "-eo", "pipefail", "-c", step["run"], cwd=tmp_path, CHECKOUT=str(ROOT), **dry)
    assert done.returncode == 0 and "Would install safeconvert" in done.stdout, done.stdout + done.stderr


@pytest.mark.converters
def test_the_hook_passes_what_is_certified_and_nothing_else(verified: Converted, tmp_path: Path) -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert {"id", "name", "entry", "language", "files"} <= set(hook)
    for name in (verified.model, verified.certificate, verified.model.with_name("model.tflite.evidence.zip")):
        shutil.copy(name, tmp_path)
    (tmp_path / "notes.md").write_text("no model")
    chosen = sorted(path.name for path in tmp_path.iterdir() if re.search(hook["files"], path.name))
    assert chosen == ["model.tflite", "model.tflite.certificate.json"]
    assert all(
        re.search(hook["files"], name) for name in ("a/b_saved_model/saved_model.pb", "s/variables/variables.index")
    )
    done = run(*shlex.split(hook["entry"]), *chosen, cwd=tmp_path)
    assert done.returncode == 0 and "all 1 pass" in done.stdout, done.stdout + done.stderr
    (tmp_path / "model.tflite").write_bytes((tmp_path / "model.tflite").read_bytes() + b"\0")
    assert run(*shlex.split(hook["entry"]), *chosen, cwd=tmp_path).returncode == 1
    assert run(*shlex.split(hook["entry"]), "model.tflite", cwd=tmp_path).returncode == 1


def test_everything_is_said_in_the_help() -> None:
    for command, flags in (
        ("gate", ("--junit", "--acknowledge")),
        ("pack", ("--all",)),
        ("show", ("--model-explorer",)),
    ):
        shown = safeconvert(command, "--help")
        assert shown.code == 0 and all(flag in shown.out for flag in flags)
