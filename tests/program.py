"""Run Python files that make models or measure frameworks, each in a process of its own that is forked from a template.

They lie in folders `programs/` beside the tests that run them, and take what they need as arguments.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from safeconvert.workers.requests import CallFunction
from safeconvert.workers.templates import run_templates
from safeconvert.workers.worker import Limits, Worker
from tests.command import ROOT

_RUNNER = Path(__file__).parent / "runner"
_LIMITS = Limits(seconds=500, memory=16 << 30)
TORCH = ("torch",)
DYNAMO = ("torch", "torch.onnx", "onnxscript")
KERAS = ("tensorflow", "keras")


def run_program(program: Path, *arguments: object, modules: Sequence[str] = ()) -> str:
    """Run a file to its end in a new process that has imported modules; what it printed.

    Raises:
        AdapterFailure: it raised, died, or took longer than 500 s; its traceback is on the error.
    """
    given = {"program": str(program), "arguments": list(map(str, arguments)), "search": [str(ROOT)]}
    request = CallFunction(_RUNNER, "run", given, modules)
    with tempfile.TemporaryDirectory() as folder, run_templates() as templates:
        place = Path(folder)
        worker = Worker(Path(sys.executable), place / "log", _LIMITS, place, templates=templates)
        try:
            return str(worker.call(program.name, "running", request))
        finally:
            worker.close()
