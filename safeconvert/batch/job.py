"""One job of a batch, and what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from safeconvert.certificate.digest import digest
from safeconvert.certificate.untrusted_json import mapping
from safeconvert.config.flag import Kind
from safeconvert.config.flags import known_flags
from safeconvert.config.project_file import find_project

COMMANDS = ("convert", "verify", "repair")
"""What a job may be, beside the pairs of formats."""

VERIFIED = "verified"
"""The one verdict that a batch's exit code 0 is made of."""

WRITTEN = ("certificate", "junit", "model-explorer", "profile")
"""Flags that name a file that a job writes, beside its output."""


class State(StrEnum):
    """Where a job stands in the ledger."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    """It came to an exit code, whichever."""
    CRASHED = "crashed"
    """Its process died, or could not be started."""


@dataclass(frozen=True)
class Job:
    """One command line.

    Attributes:
        command: `convert`, `verify`, `repair` or a pair such as `torch2onnx`.
        source: the model.
        target: the existing conversion of `verify` and `repair`; None for conversions.
        output: where the target goes; None for `verify`.
        flags: values by the flags' keys on the command line; paths among them are absolute.
        page: where its HTML page goes.
        occurrence: counts the jobs of a manifest that differ in their flags alone, from 1.
    """

    command: str
    source: Path
    target: Path | None
    output: Path | None
    flags: Mapping[str, Any] = field(default_factory=dict)
    page: Path | None = None
    occurrence: int = 1

    @property
    def name(self) -> str:
        """What tells jobs of one manifest apart, for people too."""
        return f"{self.command} {self.source}" + (
            (f" → {self.output or self.target}" if self.output or self.target else "")
            + (f" #{self.occurrence}" if self.occurrence > 1 else "")
        )

    def fingerprint(self, hashed: Callable[[Path], str] = lambda path: digest(path).sha256) -> str:
        """Hex digest of all that the result depends on: the command, its flags, and the content of the files that go in.

        What a settings file says that is found from the working folder, rather than named, goes in too.

        Args:
            hashed: hex digest of a file or folder.

        Raises:
            UnusableInput: a file cannot be read.
        """
        files = [self.source, *([self.target] if self.target is not None else [])]
        named = known_flags()[self.command]
        for key, value in self.flags.items():
            if named[key].kind is Kind.PATH and key not in WRITTEN:
                files += [Path(one) for one in (value if named[key].many else [value]) if Path(one).exists()]
        project = None if "config" in self.flags else find_project(Path.cwd())
        content = {
            "command": self.command,
            "output": str(self.output),
            "flags": dict(self.flags),
            "files": [[str(file), hashed(file)] for file in files],
            **({"settings": project.table} if project is not None else {}),
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    def arguments(self) -> list[str]:
        """The words behind `safeconvert`, with --json, and --report for its page."""
        words = [self.command, str(self.source), *([str(self.target)] if self.target is not None else [])]
        if self.output is not None:
            words += ["--output", str(self.output)]
        flags = known_flags()[self.command]
        for key, value in self.flags.items():
            for one in value if flags[key].many else [value]:
                if flags[key].kind is not Kind.BOOL:
                    words += [f"--{key}", str(one)]
                elif one or flags[key].negated:
                    words.append(f"--{key}" if one else f"--no-{key}")
        return [*words, *(["--report", str(self.page)] if self.page is not None else []), "--json"]


@dataclass(frozen=True)
class Result:
    """What one attempt at a job came to.

    Attributes:
        state: `done` or `crashed`.
        exit_code: of the command; None where it crashed.
        verdict: in a word; "" where there is none.
        reason: in a line.
        certificate: its path, or "".
        seconds: wall time.
        peak: largest memory of all its processes together, bytes; pages that they share count once.
        answer: the JSON object of `--json`, which holds the certificate's content; {} where there is none.
    """

    state: State
    exit_code: int | None
    verdict: str
    reason: str
    certificate: str
    seconds: float
    peak: int
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def target_sha256(self) -> str:
        """Digest of the target that was verified; "" for any other end."""
        digest = mapping(mapping(self.answer.get("predicate")).get("target")).get("sha256")
        return str(digest) if self.exit_code == 0 and digest else ""

    def to_json(self) -> dict[str, Any]:
        """All but the answer, for a line of `batch --json`."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name != "answer"}
