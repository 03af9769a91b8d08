"""`safeconvert adapters`: what loads here, and what can be installed."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from safeconvert.cli import completion
from safeconvert.cli.errors import people_errors
from safeconvert.cli.options import ConfigOption, JsonOption
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
    relock: Annotated[
        bool, typer.Option("--relock", help="Resolve the versions anew, and write the adapter's lock file.")
    ] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every adapter: its version, whether it loads here, and if not, why and what to do.

    Converters whose packages do not go with the others have environments of their own: `install NAME` makes one with the
    exact versions of the adapter's lock file, `remove NAME` removes it. Nothing else fetches packages.

    Example: safeconvert adapters install onnx2tf
    """
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
        from safeconvert.config.settings import load_settings
        from safeconvert.core.progress import display
        from safeconvert.report import terminal

        settings = load_settings(config)
        if action == "remove":
            removed = adapter_state.remove_adapters(names or [], settings)
            if as_json:
                typer.echo(json.dumps([{"name": name, "removed": there} for name, there in removed]))
            for name, there in removed if not as_json else ():
                typer.echo(f"{name}: {'removed' if there else 'was not installed'}")
            return
        with display(not as_json and sys.stderr.isatty()) as phases:
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
