"""`safeconvert demo`."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from safeconvert.cli.errors import people_errors
from safeconvert.cli.printing import live


def demo(*, folder: Path, as_json: bool) -> None:
    """Train, convert and verify in a folder."""
    with people_errors(as_json):
        from safeconvert.app.demo import run_demo
        from safeconvert.config.settings import load_settings
        from safeconvert.core.progress import display
        from safeconvert.report import terminal

        with display(live({"as_json": as_json})) as phases:
            made = run_demo(folder, load_settings(), phases)
        if as_json:
            typer.echo(json.dumps(made.outcome.to_json()))
        else:
            terminal.print_demo(made)
        raise typer.Exit(int(made.outcome.exit_code))
