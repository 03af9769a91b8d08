"""Errors as a person (or with --json a program) sees them, and their exit code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from safeconvert.errors import SafeconvertError


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
                    }
                )
            )
        else:
            typer.echo(f"error: {error.message}", err=True)
            if error.advice:
                typer.echo(f"  try: {error.advice}", err=True)
            if error.log and Path(error.log).exists():
                typer.echo(f"  log: {error.log}", err=True)
        raise typer.Exit(int(error.exit_code)) from None
