"""Manifests: which jobs a batch has. TOML, JSON lines, or a folder and a pattern; paths are relative to the manifest.

[defaults]                              shared flags, by their keys on the command line
samples = 32

[[jobs]]
command = "torch2onnx"
source = "a.pt"
output = "a.onnx"
flags = { seed = 3 }
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from safeconvert.batch.job import COMMANDS, WRITTEN, Job
from safeconvert.config.flag import Flag, Kind
from safeconvert.config.flags import known_flags
from safeconvert.core.documents import read_json, read_toml
from safeconvert.core.files import is_there
from safeconvert.core.formats import PAIRS, SUFFIXES
from safeconvert.core.text import suggest
from safeconvert.errors import UnusableInput

_KEYS = ("command", "source", "target", "output", "flags")
_TYPES: Mapping[Kind, tuple[type, ...]] = {
    Kind.TEXT: (str,), Kind.PATH: (str,), Kind.INT: (int,), Kind.FLOAT: (int, float), Kind.BOOL: (bool,),
}  # fmt: skip
_RESERVED = ("json", "quiet", "verbose", "output", "report")


def read_manifest(path: Path, results: Path) -> tuple[Job, ...]:
    """The jobs of a manifest.

    Args:
        path: a `.toml` or `.jsonl` file.
        results: where targets go whose job names no output.

    Raises:
        UnusableInput: an unknown key, command or flag, a value of another type, a file that is not there, two jobs with one output,
            or an output that is another job's input; the message names the job.
    """
    text = _text(path)
    if path.suffix == ".toml":
        try:
            table = read_toml(text)
        except ValueError as error:
            raise UnusableInput(f"{path}: cannot be read as TOML: {error}") from error
        unknown = sorted(table.keys() - {"defaults", "jobs"})
        if unknown:
            raise UnusableInput(f"{path}: unknown key {unknown[0]}", suggest(unknown[0], ["defaults", "jobs"]))
        defaults, entries = table.get("defaults", {}), table.get("jobs", [])
        if not isinstance(defaults, dict) or not isinstance(entries, list):
            raise UnusableInput(f"{path}: [defaults] is a table and [[jobs]] is a list of tables")
    else:
        defaults, entries = {}, list(_lines(path, text))
    jobs = [
        _job(f"{path}: job {index}", entry, defaults, path.absolute().parent, results)
        for index, entry in enumerate(entries, 1)
    ]
    return checked(jobs, str(path))


def folder_jobs(folder: Path, pattern: str, command: str, results: Path) -> tuple[Job, ...]:
    """A conversion of every file below a folder that fits a pattern. Raises UnusableInput as `read_manifest`."""
    if command not in {f"{source}2{target}" for source, target in PAIRS}:
        raise UnusableInput(f"--command {command}: not a pair of formats", "--command torch2onnx")
    entries = [{"command": command, "source": str(path)} for path in sorted(folder.rglob(pattern))]
    if not entries:
        raise UnusableInput(f"{folder}: nothing fits {pattern}", "name another with --pattern")
    jobs = [_job(f"{folder}: {entry['source']}", entry, {}, Path.cwd(), results) for entry in entries]
    return checked(jobs, str(folder))


def checked(jobs: Sequence[Job], name: str) -> tuple[Job, ...]:
    """The jobs, where no two of them write one file and none writes what another reads. Raises UnusableInput."""
    if not jobs:
        raise UnusableInput(f"{name}: holds no jobs")
    writers: dict[Path, Job] = {}
    for job in jobs:
        for path in _written(job):
            other = _of_place(path, writers)
            if other is not None:
                raise UnusableInput(f"{name}: two jobs write {path}: {other.name}; {job.name}", "give each an output")
        writers |= {_real(path): job for path in _written(job)}
    for job in jobs:
        for read in _read(job):
            writer = _of_place(read, writers)
            if writer is not None:
                raise UnusableInput(f"{name}: {job.name} reads {read}, which {writer.name} writes", "make two batches")
    return tuple(_numbered(jobs))


def _numbered(jobs: Sequence[Job]) -> Iterator[Job]:
    """The jobs, each with a name of its own. Such that differ in nothing are told apart too: they are run twice."""
    seen: Counter[str] = Counter()
    for job in jobs:
        seen[job.name] += 1
        yield replace(job, occurrence=seen[job.name])


def with_pages(jobs: Sequence[Job], folder: Path) -> tuple[Job, ...]:
    """The jobs, each with the place of its HTML page in a folder."""
    return tuple(replace(job, page=folder / f"{job.source.stem}-{_short(job.name)}.html") for job in jobs)


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def _of_place(path: Path, writers: Mapping[Path, Job]) -> Job | None:
    """The job that writes a path, a folder that holds it, or a part of it where it is a folder."""
    real = _real(path)
    for place in (real, *real.parents):
        if place in writers:
            return writers[place]
    return next((job for place, job in writers.items() if real in place.parents), None) if real.is_dir() else None


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _read(job: Job) -> Iterator[Path]:
    yield job.source
    if job.target is not None:
        yield job.target
    flags = known_flags()[job.command]
    for key, value in job.flags.items():
        if flags[key].kind is Kind.PATH and key not in WRITTEN:
            yield from map(Path, value if flags[key].many else [value])


def _written(job: Job) -> Iterator[Path]:
    if job.output is not None:
        yield job.output
    yield from (Path(job.flags[key]) for key in WRITTEN if key in job.flags)


def _job(where: str, entry: object, defaults: Mapping[str, Any], folder: Path, results: Path) -> Job:
    if not isinstance(entry, Mapping):
        raise UnusableInput(f"{where}: is no table")
    unknown = sorted(entry.keys() - set(_KEYS))
    if unknown:
        raise UnusableInput(f"{where}: unknown key {unknown[0]}", suggest(unknown[0], list(_KEYS)))
    commands = [*COMMANDS, *(f"{source}2{target}" for source, target in PAIRS)]
    command = entry.get("command")
    if command not in commands:
        raise UnusableInput(f"{where}: command {command!r} is none", suggest(str(command), commands))
    paired = command in ("verify", "repair")
    source = _existing(where, "source", entry.get("source"), folder)
    target = _existing(where, "target", entry.get("target"), folder) if paired else None
    flags = known_flags()[command]
    values = {}
    for key, value in defaults.items():
        if key in flags or not any(key in known for known in known_flags().values()):
            values[key] = _value(f"{where}: defaults.{key}", key, value, flags, folder)
    own = entry.get("flags", {})
    if not isinstance(own, Mapping):
        raise UnusableInput(f"{where}: flags is no table")
    for key, value in own.items():
        values[key] = _value(f"{where}: flags.{key}", key, value, flags, folder)
    given = entry.get("output")
    output = (folder / str(given)).absolute() if given is not None else None
    place = _output(where, command, source, output, results)
    return Job(command, source, target, place, dict(sorted(values.items())))


def _output(where: str, command: str, source: Path, given: Path | None, results: Path) -> Path | None:
    if command == "verify":
        if given is not None:
            raise UnusableInput(f"{where}: verify writes no target, and so has no output")
        return None
    if given is not None:
        return given
    if "2" not in command:
        raise UnusableInput(f"{where}: names no output", 'write it as output = "model.onnx"')
    suffix = SUFFIXES[command.partition("2")[2]][0]
    return (results / (source.name.removesuffix(source.suffix) + suffix)).absolute()


def _existing(where: str, key: str, given: object, folder: Path) -> Path:
    if not isinstance(given, str) or not given:
        raise UnusableInput(f"{where}: names no {key}")
    path = (folder / given).absolute()
    if not is_there(path):
        raise UnusableInput(f"{where}: {key} {path} is not there")
    return path


def _value(where: str, key: str, value: object, flags: Mapping[str, Flag], folder: Path) -> Any:
    if key not in flags or key in _RESERVED:
        raise UnusableInput(f"{where}: unknown flag", suggest(key, sorted(set(flags) - set(_RESERVED))))
    flag = flags[key]
    items = value if flag.many else [value]
    if not isinstance(items, list) or not all(type(item) in _TYPES[flag.kind] for item in items):
        raise UnusableInput(f"{where} = {value!r} is not of type {flag.kind}" + (", in a list" if flag.many else ""))
    if flag.kind is Kind.PATH:
        items = [str((folder / str(item)).absolute()) for item in items]
    return items if flag.many else items[0]


def _lines(path: Path, text: str) -> Iterator[object]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield read_json(line)
            except ValueError as error:
                raise UnusableInput(f"{path}: line {number} is no JSON: {error}") from error


def _text(path: Path) -> str:
    if path.suffix not in (".toml", ".jsonl"):
        raise UnusableInput(f"{path}: a manifest ends in .toml or .jsonl", "for a folder give --pattern and --command")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{path}: cannot be read: {error}") from error
