"""The flags of the command line as a table, read off its commands, and their values from the project's settings file."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import UnionType
from typing import Annotated, get_args, get_origin

import typer
from typer.models import OptionInfo

from safeconvert.cli.errors import people_errors
from safeconvert.config.project_file import Flag, Known, flag_values, open_project

_KINDS: dict[type, str] = {str: "text", Path: "path", int: "int", float: "float", bool: "bool"}


def known_flags(app: typer.Typer) -> Known:
    """Every flag of every command."""
    known: dict[str, dict[str, Flag]] = {}
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__.replace("_", "-")
        parameters = inspect.signature(command.callback, eval_str=True).parameters.values()
        flags = [flag for flag in map(_flag, parameters) if flag is not None]
        known[name] = {flag.key: flag for flag in flags}
    return known


def use_project(context: typer.Context, config: Path | None) -> Path | None:
    """Callback of --config: take a command's flags from the settings file, and say which file that is.

    What the command line says stays in force. Ends the command where the file cannot be used.
    """
    if context.resilient_parsing:  # shell completion
        return config
    with people_errors("--json" in sys.argv):
        project = open_project(config)
        context.default_map = flag_values(project, context.info_name or "", known_flags(context.find_root().obj))
    return project.path if project is not None else None


def use_project_everywhere(context: typer.Context) -> None:
    """Callback of the program: the flags of a command that has no --config."""
    command, known = context.invoked_subcommand, known_flags(context.obj)
    if command is None or "config" in known.get(command, {}):
        return
    with people_errors("--json" in sys.argv):
        context.default_map = {command: flag_values(open_project(None), command, known)}


def _flag(parameter: inspect.Parameter) -> Flag | None:
    """The flag of a command's parameter; None for an argument."""
    if get_origin(parameter.annotation) is not Annotated:
        return None
    kind, *extras = get_args(parameter.annotation)
    option = next((extra for extra in extras if isinstance(extra, OptionInfo)), None)
    if option is None:
        return None
    # inside Annotated, typer keeps the first name as the "default"
    names = [option.default, *(option.param_decls or ())]
    declared = [name for name in names if isinstance(name, str) and name.startswith("--")]
    key = declared[0].partition("/")[0].removeprefix("--") if declared else parameter.name.replace("_", "-")
    plain = next(arg for arg in get_args(kind) if arg is not type(None)) if get_origin(kind) is UnionType else kind
    many = get_origin(plain) is list
    default = str(parameter.default) if isinstance(parameter.default, Path) else parameter.default
    return Flag(key, parameter.name, _KINDS[get_args(plain)[0] if many else plain], many, default)
