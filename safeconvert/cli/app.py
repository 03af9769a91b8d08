"""The command line: parse, call, print, exit code. No logic, and nothing heavy is imported before a command runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial

import typer

from safeconvert.app.report_file import with_value
from safeconvert.cli.adapters import adapters
from safeconvert.cli.attest import attest
from safeconvert.cli.batch import batch
from safeconvert.cli.build import add_command
from safeconvert.cli.certificate import check, keygen, show
from safeconvert.cli.config import config
from safeconvert.cli.convert import convert
from safeconvert.cli.demo import demo
from safeconvert.cli.errors import run_program
from safeconvert.cli.explain import explain
from safeconvert.cli.gate import gate
from safeconvert.cli.grouped_help import GroupedProgram
from safeconvert.cli.merge import merge
from safeconvert.cli.pack import pack
from safeconvert.cli.pair import prove, repair, verify
from safeconvert.cli.project_defaults import use_project_everywhere
from safeconvert.cli.report import report
from safeconvert.config.commands import COMMANDS, EXIT_CODES
from safeconvert.core.formats import PAIRS

RUNS: Mapping[str, Callable[..., None]] = {
    "convert": convert,
    "verify": verify,
    "prove": prove,
    "repair": repair,
    "localize": partial(repair, repairs=False),
    "check": check,
    "gate": gate,
    "batch": batch,
    "merge": merge,
    "show": show,
    "report": report,
    "attest": attest,
    "pack": pack,
    "keygen": keygen,
    "adapters": adapters,
    "config": config,
    "explain": explain,
    "demo": demo,
    **{f"{source}2{target}": partial(convert, source_format=source, to=target) for source, target in PAIRS},
}
"""What each command of the table runs."""


def program() -> typer.Typer:
    """The program, from the tables of commands and flags."""
    app = typer.Typer(
        name="safeconvert",
        cls=GroupedProgram,
        callback=use_project_everywhere,
        help="Converts deep-learning models with the real converters, and verifies that the target is the same model.\n\n"
        + EXIT_CODES,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for command in COMMANDS:
        add_command(app, command, RUNS[command.name])
    return app


app = program()


def main() -> None:
    """Entry point of the `safeconvert` command."""
    run_program(lambda: app(with_value(sys.argv[1:])))
