"""The project's own settings: `safeconvert.toml`, or `[tool.safeconvert]` in `pyproject.toml`.

The nearest one from the working directory upwards counts; within a folder `safeconvert.toml` goes first. It holds

    [flags]             values for flags of the command line, for every command that has them
    [flags.COMMAND]     the same for one command; goes before [flags]
    [limits] …          the sections of configs/default.toml

What the command line says goes before both, and both before the defaults. Paths are relative to the file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeconvert.core.text import suggest
from safeconvert.errors import UnusableInput

_KINDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "path": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
}


_ONLY_NAMED = {"trust-pickle": "it lets code in model files run", "config": "it names the file itself"}


@dataclass(frozen=True)
class Flag:
    """One flag of a command.

    Attributes:
        key: as on the command line, without the dashes.
        name: of the Python parameter.
        kind: `text`, `path`, `int`, `float` or `bool`.
        many: may be given several times; a list in TOML.
        default: where neither the command line nor a file says anything; None or "" is "not set".
    """

    key: str
    name: str
    kind: str
    many: bool = False
    default: str | int | float | bool | None = None


Known = Mapping[str, Mapping[str, Flag]]
"""The flags of each command, by command and key."""


@dataclass(frozen=True)
class Project:
    """A settings file.

    Attributes:
        path: of the file.
        table: what it holds; of a pyproject.toml only [tool.safeconvert].
        named: given with --config, and not found by itself.
    """

    path: Path
    table: Mapping[str, Any]
    named: bool


def find_project(start: Path) -> Project | None:
    """The nearest settings file from a folder upwards. Raises UnusableInput for one that is no TOML."""
    start = start.absolute()
    for folder in (start, *start.parents):
        if _is_file(folder / "safeconvert.toml"):
            return Project(folder / "safeconvert.toml", read_table(folder / "safeconvert.toml"), False)
        if _is_file(folder / "pyproject.toml"):
            table = _tool(_load(folder / "pyproject.toml"))
            if table is not None:
                return Project(folder / "pyproject.toml", table, False)
    return None


def open_project(named: Path | None) -> Project | None:
    """The file named with --config, else the nearest one from the working directory upwards."""
    if named is not None:
        return Project(named, read_table(named), True)
    return find_project(Path.cwd())


def read_table(path: Path) -> Mapping[str, Any]:
    """What a settings file holds; of a `pyproject.toml` its [tool.safeconvert], {} where it has none."""
    table = _load(path)
    return (_tool(table) or {}) if path.name == "pyproject.toml" else table


def flag_values(project: Project | None, command: str, known: Known) -> dict[str, Any]:
    """Values of a command's flags by the names of its Python parameters, as the file says them.

    The whole file is checked, not only what this command reads.

    Raises:
        UnusableInput: an unknown command or flag, or a value of another type; the message names file and key.
    """
    if project is None:
        return {}
    flags = project.table.get("flags", {})
    if not isinstance(flags, Mapping):
        raise UnusableInput(f"{project.path}: flags is no table", "write it as [flags] with keys below")
    every = {key: flag for of_command in known.values() for key, flag in of_command.items()}
    values: dict[str, Any] = {}
    for key, value in flags.items():
        if isinstance(value, Mapping):
            continue
        flag = _flag(project, "flags", key, every, list(known))
        checked = _checked(project, f"flags.{key}", flag, value)
        if flag.key in known.get(command, {}):
            values[flag.name] = checked
    for name, table in flags.items():
        if not isinstance(table, Mapping):
            continue
        if name not in known:
            raise UnusableInput(f"{project.path}: [flags.{name}]: no such command", suggest(name, list(known)))
        for key, value in table.items():
            flag = _flag(project, f"flags.{name}", key, known[name], [])
            checked = _checked(project, f"flags.{name}.{key}", flag, value)
            if name == command:
                values[flag.name] = checked
    return values


def _flag(project: Project, table: str, key: str, known: Mapping[str, Flag], commands: list[str]) -> Flag:
    plain = key.replace("_", "-")
    if plain in _ONLY_NAMED and not (project.named and plain != "config"):
        raise UnusableInput(
            f"{project.path}: {table}.{key} cannot stand in a file that is found by itself: {_ONLY_NAMED[plain]}",
            f"give --{plain} on the command line",
        )
    if plain not in known:
        raise UnusableInput(f"{project.path}: unknown key {table}.{key}", suggest(plain, [*known, *commands]))
    return known[plain]


def _checked(project: Project, where: str, flag: Flag, value: object) -> Any:
    items = value if flag.many else [value]
    if not isinstance(items, list) or not all(type(item) in _KINDS[flag.kind] for item in items):
        wanted = f"a list of {flag.kind}s" if flag.many else f"of type {flag.kind}"
        raise UnusableInput(f"{project.path}: {where} = {value!r} is not {wanted}")
    folder = project.path.absolute().parent
    if flag.kind == "path" or (flag.key.endswith("preprocessing") and str(value).endswith(".toml")):
        items = [str(folder / str(item)) for item in items]
    return items if flag.many else items[0]


def _is_file(path: Path) -> bool:
    """Whether a file is there; False also where the folder may not be read."""
    try:
        return path.is_file()
    except PermissionError:
        return False


def _tool(table: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """[tool.safeconvert] of a pyproject.toml, or None where it has none."""
    tools = table.get("tool", {})
    found = tools.get("safeconvert") if isinstance(tools, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _load(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnusableInput(f"{path}: cannot be read as TOML: {error}") from error
