"""Call the command line as a user does: another process, stdout and stderr apart."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Called:
    """What became of one call."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Stdout, which holds one JSON object and nothing else."""
        return json.loads(self.out)

    @property
    def text(self) -> str:
        """All that a person sees."""
        return self.out + self.err


def safeconvert(*arguments: object, cwd: Path | None = None, **environment: str) -> Called:
    """Run `safeconvert` with arguments."""
    done = subprocess.run(
        [sys.executable, "-m", "safeconvert.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=False,
    )
    return Called(done.returncode, done.stdout, done.stderr)
