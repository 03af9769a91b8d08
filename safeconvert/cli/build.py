"""Commands from the tables: a function's own parameters are the arguments, the table's flags become its options."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any

import typer

from safeconvert.cli import completion
from safeconvert.cli.grouped_help import GroupedCommand
from safeconvert.cli.project_defaults import project_of, use_project
from safeconvert.config.commands import EXIT_CODES, Command
from safeconvert.config.flag import Flag, Kind
from safeconvert.config.flags import known_flags

_TYPES: dict[Kind, type] = {Kind.TEXT: str, Kind.PATH: Path, Kind.INT: int, Kind.FLOAT: float, Kind.BOOL: bool}
_METAVARS = {Kind.TEXT: "TEXT", Kind.PATH: "PATH", Kind.INT: "N", Kind.FLOAT: "NUMBER"}
_CONTEXT = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context)


def add_command(app: typer.Typer, command: Command, run: Callable[..., None]) -> None:
    """Register a command.

    Args:
        app: the program.
        command: its name and texts.
        run: its positional parameters are annotated with `typer.Argument` and become the arguments; each flag that the table
            lists for the command is given by keyword, `config` as the opened `Project` or None.
    """
    flags = known_flags()[command.name].values()

    def called(context: typer.Context, **values: Any) -> None:
        if "config" in values:
            values["config"] = project_of(context)
        run(**values)

    parameters = [_CONTEXT, *arguments(run), *map(_option, flags)]
    called.__dict__["__signature__"] = inspect.Signature(parameters)
    epilog = EXIT_CODES if command.verdict else None
    register = app.command(
        command.name, cls=GroupedCommand, help=command.help, epilog=epilog, rich_help_panel=command.section
    )
    register(called)


@cache
def _own_parameters(run: Callable[..., None]) -> tuple[inspect.Parameter, ...]:
    parameters = inspect.signature(run, eval_str=True).parameters.values()
    return tuple(parameter for parameter in parameters if parameter.kind is parameter.POSITIONAL_OR_KEYWORD)


def arguments(run: Callable[..., None]) -> list[inspect.Parameter]:
    """The parameters that a function is given by position; those that a `partial` fills are not asked for."""
    if isinstance(run, partial):
        return [parameter for parameter in _own_parameters(run.func) if parameter.name not in run.keywords]
    return list(_own_parameters(run))


@cache
def _option(flag: Flag) -> inspect.Parameter:
    """A flag as a parameter of a Typer command."""
    key = f"--{flag.key}/--no-{flag.key}" if flag.negated else f"--{flag.key}"
    option = typer.Option(
        *([flag.short, key] if flag.short else [key]),
        help=flag.text,
        metavar=flag.metavar or _METAVARS.get(flag.kind),
        min=flag.least,
        autocompletion=getattr(completion, flag.complete) if flag.complete else None,
        is_eager=flag.key in ("config", "trust-project"),
        callback=use_project if flag.key == "config" else None,
        show_default=False,
        rich_help_panel=flag.group,
    )
    value: Any = GenericAlias(list, (_TYPES[flag.kind],)) if flag.many else _TYPES[flag.kind]
    if flag.default is None:
        value = value | None
    annotation: Any = Annotated[value, option]
    default = Path(str(flag.default)) if flag.kind is Kind.PATH and flag.default is not None else flag.default
    return inspect.Parameter(flag.parameter, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
