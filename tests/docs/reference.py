"""What is written from the tables of commands and flags: `python -m tests.docs.reference` writes `docs/commands.md` and the
keywords of the Python API."""

from __future__ import annotations

import inspect

from safeconvert.cli.app import RUNS
from safeconvert.cli.build import arguments
from safeconvert.config.commands import COMMANDS, Command, Section
from safeconvert.config.flag import Flag, Group
from safeconvert.config.flags import known_flags
from tests.command import ROOT
from tests.docs import keywords

PAGE = ROOT / "docs" / "commands.md"
_HEAD = """# `commands`

Written from the table of flags by `make docs`; `safeconvert COMMAND --help` prints the same.
[Exit codes](exit-codes.md) are the same for all, and any flag can stand in a [settings file](settings.md).
"""


def reference() -> str:
    """The page."""
    lines = [_HEAD]
    for command in COMMANDS:
        if command.section is not Section.PAIRS:
            lines += [f"## `{command.name}`", "", *_text(command), *_table(command)]
    lines += ["## The 20 pairs", "", "As `convert`, with the formats in the name instead of `--to`.", ""]
    for command in COMMANDS:
        if command.section is Section.PAIRS:
            lines += [f"### `{command.name}`", "", *_text(command)]
    return "\n".join(lines).rstrip() + "\n"


def _text(command: Command) -> list[str]:
    """The help text; its example as code."""
    texts = [command.summary, *command.details, f"Example: `{command.example}`"]
    return [line for text in texts for line in (text, "")]


def _table(command: Command) -> list[str]:
    """Arguments, and options by group, a row each."""
    rows = [f"| `{_argument(parameter)}` | {_help(parameter)} |" for parameter in arguments(RUNS[command.name])]
    flags = known_flags()[command.name].values()
    for group in Group:
        listed = [flag for flag in flags if flag.group is group]
        rows += [f"| **{group}** | |"] if listed else []
        rows += [f"| {_names(flag)} | {flag.text.replace('|', '/')} |" for flag in listed]
    return ["| | |", "|---|---|", *rows, ""] if rows else []


def _argument(parameter: inspect.Parameter) -> str:
    (info,) = parameter.annotation.__metadata__
    return info.metavar or parameter.name.upper()


def _help(parameter: inspect.Parameter) -> str:
    (info,) = parameter.annotation.__metadata__
    return info.help


def _names(flag: Flag) -> str:
    names = [*([flag.short] if flag.short else []), f"--{flag.key}", *([f"--no-{flag.key}"] if flag.negated else [])]
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
    keywords.MODULE.write_text(keywords.module(), encoding="utf-8")
