"""How a run is shown while it goes on, and its result."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from safeconvert.errors import ExitCode

if TYPE_CHECKING:
    from safeconvert.report.outcome import Outcome


def live(flags: Mapping[str, Any]) -> bool:
    """Whether to show progress: only to a person at a terminal."""
    return not flags.get("quiet") and not flags["as_json"] and sys.stderr.isatty()


def end_with(outcome: Outcome, flags: Mapping[str, Any], unwritten: Sequence[str] = ()) -> None:
    """Print a result, and end the command with its exit code.

    Args:
        outcome: of the run.
        flags: json, quiet and verbose count.
        unwritten: why files beside the target could not be written.

    Raises:
        typer.Exit: always.
    """
    if flags["as_json"]:
        typer.echo(json.dumps(outcome.to_json()))
    elif not flags["quiet"] or outcome.exit_code is not ExitCode.VERIFIED:
        from safeconvert.report import terminal

        terminal.print_outcome(outcome, flags["verbose"], sys.argv[1:])
    for line in unwritten:
        typer.echo(line, err=True)
    raise typer.Exit(int(outcome.exit_code))
