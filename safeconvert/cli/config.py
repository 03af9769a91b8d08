"""`safeconvert config`: every flag and setting, its value, and where it comes from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from safeconvert.cli import completion
from safeconvert.cli.errors import people_errors
from safeconvert.cli.options import JsonOption
from safeconvert.cli.project_defaults import known_flags
from safeconvert.config.project_file import Known, Project, flag_values, open_project
from safeconvert.core.text import suggest
from safeconvert.errors import UnusableInput

_UNSET = "(not set)"


@dataclass(frozen=True)
class Line:
    """One flag or setting: its value as TOML would say it, and where it comes from."""

    key: str
    value: Any
    origin: str


def config(
    context: typer.Context,
    command: Annotated[
        str, typer.Argument(help="Whose flags are shown.", metavar="COMMAND", autocompletion=completion.commands)
    ] = "convert",
    file: Annotated[Path | None, typer.Option("--config", help="Settings file; else the nearest one.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the settings in force: flags of one command and all sections, each with where it comes from.

    A flag on the command line goes before the settings file, and that before the defaults.

    Example: safeconvert config torch2keras
    """
    with people_errors(as_json):
        project = open_project(file)
        known = known_flags(context.find_root().obj)
        if command not in known:
            raise UnusableInput(f"{command}: no such command", suggest(command, list(known)))
        flags, settings = list(_flags(project, command, known)), list(_settings(project))
    if as_json:
        shown = {"file": str(project.path) if project else None, "command": command}
        typer.echo(json.dumps({**shown, "flags": list(map(asdict, flags)), "settings": list(map(asdict, settings))}))
        return
    typer.echo(f"settings file: {project.path if project else 'none found'}")
    typer.echo("precedence: command line, settings file, defaults\n")
    _table(f"flags of {command}", flags)
    typer.echo("")
    _table("settings", settings)


def _flags(project: Project | None, command: str, known: Known) -> Iterator[Line]:
    values = flag_values(project, command, known)
    for flag in known[command].values():
        if flag.key == "config":
            continue
        if flag.name in values:
            assert project is not None
            own = project.table["flags"].get(command, {})
            table = f"flags.{command}" if flag.key in own or flag.name in own else "flags"
            yield Line(flag.key, values[flag.name], f"{project.path.name} [{table}]")
        else:
            yield Line(flag.key, None if flag.default == "" else flag.default, "default")


def _settings(project: Project | None) -> Iterator[Line]:
    from safeconvert.config.settings import load_settings

    settings = asdict(load_settings(project.path if project is not None else None))
    for section, keys in settings.items():
        said = project.table.get(section, {}) if project is not None else {}
        for key, value in keys.items():
            origin = f"{project.path.name} [{section}]" if project is not None and key in said else "default"
            yield Line(f"{section}.{key}", _plain(value), origin)


def _plain(value: Any) -> Any:
    """A setting as JSON can say it."""
    if isinstance(value, tuple):
        return [str(item) for item in value]
    if isinstance(value, dict):
        return {name: str(item) for name, item in value.items()}
    return str(value) if isinstance(value, Path) else value


def _table(title: str, lines: list[Line]) -> None:
    shown = [(line.key, _UNSET if line.value is None else json.dumps(line.value), line.origin) for line in lines]
    widths = [max(len(row[column]) for row in shown) for column in (0, 1)]
    typer.echo(title)
    for key, value, origin in shown:
        typer.echo(f"  {key:{widths[0]}}  {value:{widths[1]}}  {origin}")
