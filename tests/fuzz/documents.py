"""Mutants of what safeconvert's own process reads: settings, certificates with their evidence, inputs."""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from safeconvert.batch.manifest import read_manifest
from safeconvert.certificate.check import check, read_certificate
from safeconvert.config.project_file import Project, find_project, flag_values, read_table
from safeconvert.config.request import conversion, request_of
from safeconvert.config.settings import load_settings
from safeconvert.core.resources import data_folder
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import SafeconvertError
from safeconvert.gate.acknowledged import read_accepted
from safeconvert.gate.find import find
from safeconvert.gate.judge import judge as judge_gate
from safeconvert.inputs.interface import InputSet
from safeconvert.inputs.open import open_inputs
from safeconvert.inputs.preprocessing import load_presets, preset_or_file
from safeconvert.report import gate as gate_report
from safeconvert.report import junit
from safeconvert.report.certificate import render
from safeconvert.report.terminal import check_json
from safeconvert.report.write import write_report

from .mutators.certificates import with_statement
from .seeds import Files, write
from .verdicts import State, Verdict, of_error

Reading = Callable[[], object]
_FREE = TensorSpec("x", (None, 3, None, None), "float32")
_ONE = Signature((TensorSpec("x", (None, 3, 8, 8), "float32"),), ())
_TWO = Signature((*_ONE.inputs, TensorSpec("ids", (None, 3), "int64")), ())
_FOLDERS = (Signature((_FREE,), ()), Signature((TensorSpec("x", (None, 8, 8, 1), "uint8", "NHWC"),), ()))


class DocumentJudge:
    """Has mutants read by all that reads such files.

    Args:
        folder: for the mutant's files.
        originals: the seeds, by the name of what is opened.
    """

    def __init__(self, folder: Path, originals: Mapping[str, Files]) -> None:
        self._folder = folder
        self._originals = originals

    def __call__(self, main: str, files: Files) -> Verdict:
        """What becomes of a mutant."""
        given = self._folder / "given"
        write(self._resealed(main, files), given)
        refusal = ""
        for read in _readings(given / main):
            try:
                read()
            except SafeconvertError as error:
                verdict = of_error(error)
                if verdict.state is State.FAULT:
                    return verdict
                refusal = refusal or verdict.detail
            except Exception as error:  # noqa: BLE001 - this is what is looked for
                return of_error(error)
        shutil.rmtree(given)
        left = sorted(path.name for path in self._folder.iterdir())
        if left:
            return Verdict(State.FAULT, f"files outside the folder: {left}")
        return Verdict(State.REFUSED, refusal) if refusal else Verdict(State.RAN)

    def _resealed(self, main: str, files: Files) -> Files:
        """With the digest of changed evidence in the certificate, so that a reader opens it."""
        evidence = main.replace(".certificate.json", ".evidence.zip")
        original = self._originals[main]
        if evidence not in files or files[main] != original[main] or files[evidence] == original[evidence]:
            return files
        digest = hashlib.sha256(files[evidence]).hexdigest()

        def change(statement: dict[str, Any]) -> None:
            statement["predicate"]["evidence"]["sha256"] = digest

        return {**files, main: with_statement(files[main], change)}


def _readings(path: Path) -> Iterable[Reading]:
    """All that reads a file of this name."""
    match path.name:
        case "images":
            return [_inputs(path, signature, preset) for signature in _FOLDERS for preset in ("raw", "torchvision")]
        case "inputs.npy":
            return [_inputs(path, _ONE)]
        case "inputs.npz":
            return [_inputs(path, _TWO)]
        case "preset.toml":
            return [lambda: load_presets.__wrapped__(path)]
        case "accepted.toml":
            return [lambda: read_accepted(path)]
        case "jobs.toml" | "jobs.jsonl":
            return [lambda: read_manifest(path, path.parent / "results")]
        case "safeconvert.toml" | "pyproject.toml":
            return [_settings(path, command, named) for command in ("torch2onnx", "gate") for named in (True, False)]
    shows = path.read_bytes().count(b"A") % 2  # what takes longest, in turn
    return [
        lambda: check_json(check(path)),
        lambda: _shown(read_certificate(path)) if shows else write_report(path, path.parent / "page.html"),
        lambda: gate_report.gate_json(judge_gate(find([path.parent]), load_settings().gate)),
    ]


def _settings(path: Path, command: str, named: bool) -> Reading:
    def read() -> None:
        project = Project(path, read_table(path), True, True) if named else find_project(path.parent)
        request = request_of(flag_values(project, command), project)
        with request.data() as data:
            conversion(request, path, "onnx", data)

    return read


def _inputs(path: Path, signature: Signature, preset: str = "") -> Reading:
    def read() -> None:
        recipe = preset_or_file(preset, data_folder("configs") / "preprocessing.toml") if preset else None
        opened: InputSet = open_inputs(path, signature, recipe, None)
        opened.chunk(0, min(opened.count, 64))
        opened.digest()
        str(opened.origin)

    return read


def _shown(predicate: dict[str, Any]) -> None:
    render(predicate, Console(file=io.StringIO(), width=80))
    junit.render([junit.of_certificate(predicate, "model")])
