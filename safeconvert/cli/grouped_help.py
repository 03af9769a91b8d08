"""Help in groups: options below the headings of the table of flags, commands below those of the table of commands.

Typer groups only in its rich help, whose import would double the time that `--help` takes.
"""

from __future__ import annotations

from typing import Any

import typer.core


class GroupedCommand(typer.core.TyperCommand):
    """A command whose options are listed by group."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments first, then each group in the order of the table, then the rest."""
        parameters = self.get_params(ctx)
        _section(
            formatter, "Arguments", [p.get_help_record(ctx) for p in parameters if p.param_type_name == "argument"]
        )
        options = [parameter for parameter in parameters if parameter.param_type_name == "option"]
        for title in _headings(options):
            _section(formatter, title, [p.get_help_record(ctx) for p in options if _heading(p) == title])


class GroupedProgram(typer.core.TyperGroup):
    """A program whose commands are listed by section."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Each section in the order of the table."""
        commands: list[Any] = [command for command in self.commands.values() if not command.hidden]
        limit = formatter.width - 6 - max(len(command.name or "") for command in commands)
        for title in _headings(commands):
            rows = [(c.name, c.get_short_help_str(limit)) for c in commands if _heading(c) == title]
            _section(formatter, title, rows)


_OTHER = "Help"


def _heading(item: Any) -> str:
    return str(getattr(item, "rich_help_panel", None) or _OTHER)


def _headings(items: list[Any]) -> list[str]:
    """The headings of items, each once, in the order of the groups; what belongs to none is last."""
    from safeconvert.config.flag import Group

    order = [*map(str, Group)]
    found = list(dict.fromkeys(map(_heading, items)))
    return sorted(found, key=lambda title: order.index(title) if title in order else len(order) + (title == _OTHER))


def _section(formatter: Any, title: str, rows: list[Any]) -> None:
    rows = [row for row in rows if row is not None]
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)
