"""Values of flags from the project's settings file, as defaults of the command line."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from safeconvert.cli.errors import people_errors
from safeconvert.config.flags import known_flags
from safeconvert.config.project_file import Project, flag_values, open_project

_KEY = "safeconvert.project"
_RUN_NOTHING = ("config", "gate")
"""Commands that read settings and run no code that these name."""


def use_project(context: typer.Context, config: Path | None) -> Path | None:
    """Callback of --config: take a command's flags from the settings file; what the command line says stays in force.

    Ends the command where the file cannot be used.
    """
    if context.resilient_parsing:  # shell completion
        return config
    with people_errors("--json" in sys.argv):
        trusted = bool(context.params.get("trust_project")) or context.info_name in _RUN_NOTHING
        project = open_project(config, trusted)
        context.meta[_KEY] = project
        context.default_map = flag_values(project, context.info_name or "")
    return config


def project_of(context: typer.Context) -> Project | None:
    """The settings file that `use_project` opened for a command."""
    project = context.meta.get(_KEY)
    return project if isinstance(project, Project) else None


def use_project_everywhere(context: typer.Context) -> None:
    """Callback of the program: the flags of a command that has no --config."""
    command = context.invoked_subcommand
    if command is None or "config" in known_flags().get(command, {}):
        return
    with people_errors("--json" in sys.argv):
        context.default_map = {command: flag_values(open_project(None), command)}
