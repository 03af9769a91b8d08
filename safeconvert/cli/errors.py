"""Errors as a person (or with --json a program) sees them, and their exit code."""

from __future__ import annotations

import io
import json
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from safeconvert.core import interrupts
from safeconvert.errors import ExitCode, NoRoute, SafeconvertError


@contextmanager
def people_errors(as_json: bool) -> Iterator[None]:
    """Turn errors into one line (or one JSON object) and their exit code."""
    try:
        yield
    except SafeconvertError as error:
        if as_json:
            typer.echo(
                json.dumps(
                    {
                        "exit_code": int(error.exit_code),
                        "verdict": error.exit_code.name.lower(),
                        "reason": error.message,
                        "advice": error.advice,
                        "log": error.log or None,
                        **_routes(error),
                    }
                )
            )
        else:
            typer.echo(f"error: {error.message}", err=True)
            if error.advice:
                typer.echo(f"  try: {error.advice}", err=True)
            for offer in _routes(error).get("offers", []):
                typer.echo(f"  not tried: {offer['adapter']} ({offer['reason']}); {offer['command']}", err=True)
            if error.log and Path(error.log).exists():
                typer.echo(f"  log: {error.log}", err=True)
        raise typer.Exit(int(error.exit_code)) from None


def _routes(error: SafeconvertError) -> dict[str, Any]:
    """Routes tried, operators that no converter took, and adapters that could be installed, where no route could convert."""
    if not isinstance(error, NoRoute):
        return {}
    return {"attempts": list(error.attempts), "obstacles": list(error.obstacles), "offers": list(error.offers)}


def run_program(program: Callable[[], object]) -> None:
    """Run a program to its end: whatever else goes wrong is a line and a file with the traceback, and exit code 4."""
    interrupts.install()
    if isinstance(sys.stdout, io.TextIOWrapper):  # an arrow is no reason to fail where the locale has none
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        program()
    except interrupts.Interrupted as told:
        interrupts.leave(told.number)
    except typer.Exit as ended:
        sys.exit(ended.exit_code)
    except Exception as error:  # noqa: BLE001 - the last boundary: a person sees one line, the traceback goes to a file
        path = Path(tempfile.mkstemp(prefix="safeconvert-error-", suffix=".log")[1])
        path.write_text(traceback.format_exc(), encoding="utf-8")
        typer.echo(f"error: safeconvert itself failed: {type(error).__name__}: {error}\n  log: {path}", err=True)
        sys.exit(int(ExitCode.NO_VERDICT))
