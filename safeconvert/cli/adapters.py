"""`safeconvert adapters`: what loads here, and what can be installed."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from safeconvert.cli import completion
from safeconvert.cli.errors import people_errors
from safeconvert.cli.printing import live
from safeconvert.config.project_file import Project
from safeconvert.errors import ExitCode, UnusableInput

_ACTIONS = ("list", "install", "remove")


def adapters(
    action: Annotated[
        str, typer.Argument(help="list, install or remove.", metavar="[ACTION]", autocompletion=completion.actions)
    ] = "list",
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Adapters with environments of their own.", metavar="[NAME]...", autocompletion=completion.optional
        ),
    ] = None,
    *,
    relock: bool,
    containment: str,
    config: Project | None,
    as_json: bool,
    trust_project: bool,
) -> None:
    """List, install or remove; a settings file that names interpreters was trusted when it was opened."""
    with people_errors(as_json):
        if action not in _ACTIONS:
            raise UnusableInput(f"adapters {action}: unknown", f"one of {', '.join(_ACTIONS)}")
        if (action == "list") == bool(names):
            raise UnusableInput(
                f"adapters {action}: {'takes no name' if names else 'needs the names of adapters'}",
                "safeconvert adapters lists them",
            )
        from dataclasses import asdict

        from safeconvert.app import adapter_state
        from safeconvert.config.request import request_of
        from safeconvert.core.progress import display
        from safeconvert.report import terminal

        settings = request_of({"containment": containment}, config).settings
        if action == "remove":
            removed = adapter_state.remove_adapters(names or [], settings)
            if as_json:
                typer.echo(json.dumps([{"name": name, "removed": there} for name, there in removed]))
            for name, there in removed if not as_json else ():
                typer.echo(f"{name}: {'removed' if there else 'was not installed'}")
            return
        with display(live({"as_json": as_json})) as phases:
            if action == "install":
                say = (lambda step: typer.echo(step, err=True)) if not as_json else (lambda step: None)
                states = adapter_state.install_adapters(names or [], settings, phases, say, relock)
            else:
                states = adapter_state.list_adapters(settings, phases)
        if as_json:
            typer.echo(json.dumps([asdict(state) for state in states]))
        else:
            terminal.print_adapters(states)
        if action == "install" and not all(state.loads for state in states):
            raise typer.Exit(int(ExitCode.UNUSABLE_INPUT))
