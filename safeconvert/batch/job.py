"""One job of a batch, and what became of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from safeconvert.certificate.digest import digest
from safeconvert.config.flags import Kind, known_flags

COMMANDS = ("convert", "verify", "repair")
"""What a job may be, beside the pairs of formats."""


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
    """

    command: str
    source: Path
    target: Path | None
    output: Path | None
    flags: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What tells jobs of one manifest apart, for people too."""
        return f"{self.command} {self.source}" + (
            f" → {self.output or self.target}" if self.output or self.target else ""
        )

    def fingerprint(self) -> str:
        """Hex digest of all that the result depends on: the command, its flags, and the content of the files that go in.

        Raises:
            UnusableInput: a file cannot be read.
        """
        files = [self.source, *([self.target] if self.target is not None else [])]
        named = known_flags()[self.command]
        files += [
            Path(value) for key, value in self.flags.items() if named[key].kind is Kind.PATH and Path(value).exists()
        ]
        content = {
            "command": self.command,
            "output": str(self.output),
            "flags": dict(self.flags),
            "files": [[str(file), digest(file).sha256] for file in files],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()

    def arguments(self) -> list[str]:
        """The words behind `safeconvert`, with --json."""
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
        return [*words, "--json"]


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
        peak: largest resident memory of all its processes together, bytes.
    """

    state: State
    exit_code: int | None
    verdict: str
    reason: str
    certificate: str
    seconds: float
    peak: int
