"""What the drop-in commands share: run their conversions, print their results, end with the exit code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from safeconvert.cli.errors import people_errors, run_program
from safeconvert.errors import ExitCode

if TYPE_CHECKING:
    from safeconvert.compat._session import Job


def convert(jobs: Sequence[Job], quiet: bool, verbose: bool) -> ExitCode:
    """Run conversions one after another, each to its output, and print each outcome; stops at the first that fails."""
    from safeconvert.compat._session import run_unraised
    from safeconvert.core.progress import display
    from safeconvert.report import terminal

    for job in jobs:
        assert job.output is not None
        with display(sys.stderr.isatty() and not quiet) as phases:
            outcome = run_unraised(job, job.output, phases)
        if not quiet or outcome.exit_code is not ExitCode.VERIFIED:
            terminal.print_outcome(outcome, verbose)
        if outcome.exit_code is not ExitCode.VERIFIED:
            return outcome.exit_code
    return ExitCode.VERIFIED


def execute(command: Callable[[], ExitCode]) -> None:
    """Run a command and end the process with its exit code; errors are printed as the command line prints them."""

    def program() -> None:
        with people_errors(False):
            sys.exit(int(command()))

    run_program(program)
