"""The project's own settings: `safeconvert.toml`, or `[tool.safeconvert]` in `pyproject.toml`.

The nearest one from the working directory up to the root of its repository (the folder that holds `.git`) counts; outside a
repository only the working directory is looked at. Files that belong to another user are passed over. Within a folder
`safeconvert.toml` goes first. It holds

    [flags]             values for flags of the command line, for every command that has them
    [flags.COMMAND]     the same for one command; goes before [flags]
    [limits] …          the sections of configs/default.toml

What the command line says goes before both, and both before the defaults. Paths are relative to the file.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeconvert.config.flag import Flag, Kind, References
from safeconvert.config.flags import known_flags
from safeconvert.core.containment import Mode
from safeconvert.core.documents import read_toml
from safeconvert.core.text import suggest
from safeconvert.errors import UnusableInput

_TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,),
    Kind.PATH: (str,),
    Kind.INT: (int,),
    Kind.FLOAT: (int, float),
    Kind.BOOL: (bool,),
}
_NAMES = ("safeconvert.toml", "pyproject.toml")


@dataclass(frozen=True)
class Project:
    """A settings file.

    Attributes:
        path: of the file.
        table: what it holds; of a pyproject.toml only [tool.safeconvert].
        named: given with --config, and not found by itself.
        trusted: may name code that is run; a named file always may.
    """

    path: Path
    table: Mapping[str, Any]
    named: bool
    trusted: bool = False


def find_project(start: Path) -> Project | None:
    """The nearest settings file of this user's (or root's) from a folder up to the root of its repository.

    Raises:
        UnusableInput: it is no TOML.
    """
    for path in _candidates(start):
        if _is_ours(path):
            table = _table(path)
            if table is not None:
                return Project(path, table, False)
    return None


def passed_over(start: Path) -> list[Path]:
    """Settings files that would have been looked at, and belong to another user."""
    return [path for path in _candidates(start) if not _is_ours(path)]


def open_project(named: Path | None, trusted: bool = False) -> Project | None:
    """The file named with --config, else the nearest one from the working directory upwards.

    Args:
        named: the file; None looks for one.
        trusted: a file that is found may name code that is run.
    """
    if named is not None:
        return Project(named, read_table(named), True, True)
    found = find_project(Path.cwd())
    return Project(found.path, found.table, False, trusted) if found is not None else None


def read_table(path: Path) -> Mapping[str, Any]:
    """What a settings file holds; of a `pyproject.toml` its [tool.safeconvert], {} where it has none."""
    return _table(path) or {}


def flag_values(project: Project | None, command: str) -> dict[str, Any]:
    """Values of a command's flags by the names of its Python parameters, as the file says them.

    The whole file is checked, not only what this command reads.

    Raises:
        UnusableInput: an unknown command or flag, a value of another type, or code to run in a file that is not trusted; the
            message names file and key.
    """
    if project is None:
        return {}
    flags = project.table.get("flags", {})
    if not isinstance(flags, Mapping):
        raise UnusableInput(f"{project.path}: flags is no table", "write it as [flags] with keys below")
    known = known_flags()
    every = {key: flag for of_command in known.values() for key, flag in of_command.items()}
    values: dict[str, Any] = {}
    for key, value in flags.items():
        if isinstance(value, Mapping):
            continue
        flag = _flag(project, "flags", key, every, list(known))
        checked = _checked(project, f"flags.{key}", flag, value)
        if flag.key in known.get(command, {}):
            values[flag.parameter] = _trusted(project, f"flags.{key}", flag, checked)
    for name, table in flags.items():
        if not isinstance(table, Mapping):
            continue
        if name not in known:
            raise UnusableInput(f"{project.path}: [flags.{name}]: no such command", suggest(name, list(known)))
        for key, value in table.items():
            flag = _flag(project, f"flags.{name}", key, known[name], [])
            checked = _checked(project, f"flags.{name}.{key}", flag, value)
            if name == command:
                values[flag.parameter] = _trusted(project, f"flags.{name}.{key}", flag, checked)
    return values


def refuse_code(project: Project, where: str, what: str) -> None:
    """Raise UnusableInput for a key that runs code, in a file that was found and is not trusted."""
    if not project.trusted:
        raise UnusableInput(
            f"{project.path}: {where} names {what}, which is code that would run; a settings file that was found may not",
            f"read the file, then give --config {project.path} or --trust-project",
        )


def refuse_weaker(project: Project, where: str) -> None:
    """Raise UnusableInput for a key that switches containment off, in a file that was found and is not trusted."""
    if not project.trusted:
        raise UnusableInput(
            f"{project.path}: {where} switches containment off; a settings file that was found may not",
            f"read the file, then give --config {project.path}, --trust-project or --containment off",
        )


def _candidates(start: Path) -> Iterator[Path]:
    """Files named like settings from a folder up to its repository's root, the nearest first."""
    start = start.absolute()
    folders = [start, *start.parents]
    root = next((index for index, folder in enumerate(folders) if _exists(folder / ".git")), 0)
    for folder in folders[: root + 1]:
        yield from (folder / name for name in _NAMES if _is_file(folder / name))


def _is_ours(path: Path) -> bool:
    """Whether a file belongs to this user, or to root, who could change anything anyway."""
    try:
        return path.stat().st_uid in (os.geteuid(), 0)
    except OSError:
        return False


def _flag(project: Project, table: str, key: str, known: Mapping[str, Flag], commands: list[str]) -> Flag:
    plain = key.replace("_", "-")
    if plain not in known:
        raise UnusableInput(f"{project.path}: unknown key {table}.{key}", suggest(plain, [*known, *commands]))
    flag = known[plain]
    if flag.only_named and (plain == "config" or not project.named):
        raise UnusableInput(
            f"{project.path}: {table}.{key} cannot stand in a file that is found by itself: {flag.only_named}",
            f"give --{plain} on the command line",
        )
    return flag


def _checked(project: Project, where: str, flag: Flag, value: object) -> Any:
    items = value if flag.many else [value]
    if not isinstance(items, list) or not all(type(item) in _TYPES[flag.kind] for item in items):
        wanted = f"a list of {flag.kind}s" if flag.many else f"of type {flag.kind}"
        raise UnusableInput(f"{project.path}: {where} = {value!r} is not {wanted}")
    folder = project.path.absolute().parent
    if flag.kind is Kind.PATH or (flag.key.endswith("preprocessing") and str(value).endswith(".toml")):
        items = [str(folder / str(item)) for item in items]
    return items if flag.many else items[0]


def _trusted(project: Project, where: str, flag: Flag, value: Any) -> Any:
    """The value, unless it names code and the file may not."""
    if flag.key == "containment" and value == Mode.OFF:
        refuse_weaker(project, where)
    named = flag.runs_code is References.NAMED and ":" in str(value)
    if value and (named or flag.runs_code is References.ALL):
        refuse_code(project, where, str(value))
    return value


def _is_file(path: Path) -> bool:
    """Whether a file is there; False also where the folder may not be read."""
    try:
        return path.is_file()
    except PermissionError:
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return False


def _table(path: Path) -> Mapping[str, Any] | None:
    """What a file holds for safeconvert; None for a `pyproject.toml` without [tool.safeconvert]."""
    try:
        table = read_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnusableInput(f"{path}: cannot be read as TOML: {error}") from error
    if path.name != "pyproject.toml":
        return table
    tools = table.get("tool", {})
    found = tools.get("safeconvert") if isinstance(tools, Mapping) else None
    return found if isinstance(found, Mapping) else None
