"""What is written from the tables of commands and flags: `python -m tests.docs.reference` writes `docs/commands.md` and the
keywords of the Python API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from safeconvert.cli.app import app
from tests.command import ROOT
from tests.docs import keywords

PAGE = ROOT / "docs" / "commands.md"
_HEAD = """# `commands`

Written from the program's own help by `make docs`; `safeconvert COMMAND --help` prints the same.
[Exit codes](exit-codes.md) are the same for all, and any flag can stand in a [settings file](settings.md).
"""


def reference() -> str:
    """The page."""
    commands = dict(_commands("", typer.main.get_command(app)))
    pairs = [name for name in commands if "2" in name]
    lines = [_HEAD, "## The 20 pairs", "", "As `convert`, with the formats in the name instead of `--to`.", ""]
    for name in pairs:
        lines += [f"### `{name}`", "", *_text(commands[name])]
    for name, command in commands.items():
        if name not in pairs:
            lines += [f"## `{name}`", "", *_text(command), *_table(command)]
    return "\n".join(lines).rstrip() + "\n"


def _commands(before: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(f"{before}{name} ", command)
        elif not command.hidden:
            yield f"{before}{name}", command


def _text(command: Any) -> list[str]:
    """The help text; its example as code."""
    paragraphs = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    mark = "Example: "
    said = [f"{mark}`{text.removeprefix(mark)}`" if text.startswith(mark) else text for text in paragraphs]
    return [line for text in said for line in (text, "")]


def _table(command: Any) -> list[str]:
    """Arguments and options, a row each."""
    rows = []
    for parameter in command.params:
        if getattr(parameter, "hidden", False) or parameter.name == "help":
            continue
        names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
        if isinstance(parameter, typer.core.TyperArgument):
            names = f"`{(parameter.metavar or parameter.name).upper()}`"
        rows.append(f"| {names} | {(parameter.help or '').replace('|', '/')} |")
    return ["| | |", "|---|---|", *rows, ""] if rows else []


if __name__ == "__main__":
    PAGE.write_text(reference(), encoding="utf-8")
    keywords.MODULE.write_text(keywords.module(), encoding="utf-8")
