"""Print an outcome with the content of a certificate: `show_outcome.py CONTENT.json`."""

import json
import sys
from pathlib import Path

from safeconvert.cli.errors import run_program
from safeconvert.errors import ExitCode
from safeconvert.report import terminal
from safeconvert.report.outcome import Outcome

predicate = json.loads(Path(sys.argv[1]).read_text())
place = Path.cwd() / "a model.keras.certificate.json"
outcome = Outcome(
    ExitCode.VERIFIED, predicate["reason"], Path.cwd() / "a model.keras", None, place, predicate, (), None
)
run_program(lambda: terminal.print_outcome(outcome, False))
