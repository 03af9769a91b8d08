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
from safeconvert.config.flags import known_flags
from safeconvert.config.project_file import Project, flag_values, passed_over
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
    command: Annotated[
        str, typer.Argument(help="Whose flags are shown.", metavar="COMMAND", autocompletion=completion.commands)
    ] = "convert",
    *,
    config: Project | None,
    as_json: bool,
) -> None:
    """Show the values in force."""
    with people_errors(as_json):
        known = known_flags()
        if command not in known:
            raise UnusableInput(f"{command}: no such command", suggest(command, list(known)))
        flags, settings = list(_flags(config, command)), list(_settings(config))
    if as_json:
        shown = {"file": str(config.path) if config else None, "command": command}
        typer.echo(json.dumps({**shown, "flags": list(map(asdict, flags)), "settings": list(map(asdict, settings))}))
        return
    typer.echo(f"settings file: {config.path if config else 'none found'}")
    for path in passed_over(Path.cwd()) if config is None or not config.named else ():
        typer.echo(f"passed over, since it belongs to another user: {path}")
    typer.echo("precedence: command line, settings file, defaults\n")
    _table(f"flags of {command}", flags)
    typer.echo("")
    _table("settings", settings)


def _flags(project: Project | None, command: str) -> Iterator[Line]:
    values = flag_values(project, command)
    for flag in known_flags()[command].values():
        if flag.key == "config":
            continue
        if flag.parameter in values and project is not None:
            own = project.table["flags"].get(command, {})
            table = f"flags.{command}" if flag.key in own or flag.parameter in own else "flags"
            yield Line(flag.key, values[flag.parameter], f"{project.path.name} [{table}]")
        else:
            yield Line(flag.key, None if flag.default == "" else flag.default, "default")


def _settings(project: Project | None) -> Iterator[Line]:
    from safeconvert.config.settings import project_settings

    settings = asdict(project_settings(project))
    for section, keys in settings.items():
        given = project.table.get(section, {}) if project is not None else {}
        for key, value in keys.items():
            origin = f"{project.path.name} [{section}]" if project is not None and key in given else "default"
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
    widths = [max((len(row[column]) for row in shown), default=0) for column in (0, 1)]
    typer.echo(title)
    for key, value, origin in shown:
        typer.echo(f"  {key:{widths[0]}}  {value:{widths[1]}}  {origin}")
