"""The public cases: small models of kinds that people reported trouble with, converted and judged by the source's own outputs.

A case is built by its own `make.py`; a command is run as a user runs it, or by who is given; the file that comes out is run by its framework alone
(`run_native`), fed and read as the certificate's contract says, and compared with what the source framework gave.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.command import ROOT, Called

CASES = Path(os.environ.get("SAFECONVERT_CASES") or ROOT.parent / "shared" / "cases")
SECONDS = 600.0
_SUFFIX = {"torch": ".pt2", "keras": ".keras", "tf": "_saved_model", "tflite": ".tflite", "onnx": ".onnx"}
_MODEL = {"pt2": ".pt2", "pt": ".pt", "keras": ".keras", "tflite": ".tflite", "onnx": ".onnx", "savedmodel": ""}


@dataclass(frozen=True)
class Case:
    """What `case.toml` says.

    Attributes:
        name: of the folder.
        source: kind of the model file.
        commands: command lines without the model and the output.
        expected: what a right product does, in words.
        give_inputs: hand over `inputs.npz`.
        tolerance: of an output's scale.
        steps: by which integers may be off.
    """

    name: str
    source: str
    commands: tuple[str, ...]
    expected: str
    give_inputs: bool = False
    tolerance: float = 1e-3
    steps: int = 0


@dataclass(frozen=True)
class Outcome:
    """What became of one command.

    Attributes:
        code: exit code; -1 where the time limit ended it.
        verdict: `right` or `wrong` (a file came out), `refused` (none did), or `does not run`.
        reason: what was wrong with the file, or the first line of the refusal.
        text: all that the command said, the JSON object included.
        obligations: of the certificate.
        seconds: wall clock time of the command.
    """

    code: int
    verdict: str
    reason: str
    text: str
    obligations: tuple[str, ...]
    seconds: float


def public_cases() -> tuple[Case, ...]:
    """All cases by name; empty where they are not there."""
    return tuple(read_case(path.parent) for path in sorted(CASES.glob("*/case.toml")))


def read_case(folder: Path) -> Case:
    """The case in a folder."""
    data = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    optional = {name: data[name] for name in ("give_inputs", "tolerance", "steps") if name in data}
    return Case(folder.name, data["source"], tuple(data["commands"]), data["expected"], **optional)


def build(case: Case, folder: Path) -> Path:
    """Run the case's `make.py`, once for a folder; returns where its files are."""
    made = folder / case.name
    if not (made / "expected.npz").exists():
        made.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, str(CASES / case.name / "make.py"), str(made)]
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS)
    return made


def as_a_user(*arguments: str) -> Called:
    """Run the command line in a process of its own. Raises TimeoutExpired."""
    done = subprocess.run(
        [sys.executable, "-m", "safeconvert.cli", *arguments],
        capture_output=True, text=True, check=False, timeout=SECONDS, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return Called(done.returncode, done.stdout, done.stderr)


def run(case: Case, command: str, folder: Path, call: Callable[..., Called] = as_a_user) -> Outcome:
    """Run one command of a case that `build` made in `folder`, and judge the file that it wrote.

    Args:
        case, command, folder: the case, one of its commands, and where it was built.
        call: runs a command line.
    """
    name, *flags = command.split()
    made = folder / case.name
    source_format, target_format = name.split("2")
    suffix = _MODEL[case.source]
    if source_format == "tflite":  # a case may lay a TFLite file beside its source
        suffix = ".tflite"
    target = made / f"{name}{'-'.join(['', *flags[1:]]).replace(',', 'x')}{_SUFFIX[target_format]}"
    given = ["--inputs", str(made / "inputs.npz")] if case.give_inputs else []
    arguments = [name, str(made / f"model{suffix}"), "-o", str(target), *flags, *given, "--json"]
    began = time.perf_counter()
    try:
        called = call(*arguments)
    except subprocess.TimeoutExpired:
        return Outcome(-1, "refused", f"longer than {SECONDS:.0f} s", "", (), SECONDS)
    seconds = time.perf_counter() - began
    printed = _object(called.out)
    predicate = printed.get("predicate") or {}
    obligations = tuple(predicate.get("obligations", ()))
    if called.code != 0:
        reason = printed.get("reason") or printed.get("error") or _first_line(called.err)
        return Outcome(called.code, "refused", str(reason), called.text, obligations, seconds)
    verdict, reason = _judge(case, made, target, predicate["contract"])
    return Outcome(0, verdict, reason, called.text, obligations, seconds)


def _judge(case: Case, made: Path, target: Path, contract: dict[str, Any]) -> tuple[str, str]:
    """Run the file in a process of its own; `right`, `wrong` or `does not run`, and why."""
    asked = {
        "target": str(target), "inputs": str(made / "inputs.npz"), "expected": str(made / "expected.npz"),
        "contract": contract, "tolerance": case.tolerance, "steps": case.steps,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "tests.scenarios.run_native"], input=json.dumps(asked), cwd=ROOT,
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    if done.returncode != 0:
        return "does not run", (done.stderr.strip().splitlines() or ["no output"])[-1]
    found = json.loads(done.stdout.splitlines()[-1])
    if found["reason"]:
        return "wrong", found["reason"]
    return "right", f"{found['left_out']} calls are of sizes that it does not take" if found["left_out"] else ""


def _object(text: str) -> dict[str, Any]:
    try:
        return dict(json.loads(text))
    except json.JSONDecodeError:
        return {}


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no output")
