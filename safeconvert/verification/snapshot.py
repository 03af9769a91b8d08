"""What is run is what was hashed: copies of the models of a run, which workers read and cannot change.

A file that is given may be swapped while it is loaded, and a target that a converter wrote may still be open in that converter. So
each is copied first, the copy is hashed, and only the copy is run, certified and published; at the end both are hashed again.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from safeconvert.certificate.digest import digest
from safeconvert.config.options import ModelOptions
from safeconvert.conversion.route import Candidate
from safeconvert.core.files import is_there
from safeconvert.core.formats import ModelFile, detect
from safeconvert.errors import AdapterFailure, NoVerdict, UnusableInput
from safeconvert.inputs.rest import all_first, samples_digest
from safeconvert.registry.manifest import framework
from safeconvert.verification.sealing import copied_to, sealed_file
from safeconvert.verification.source import Source
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run

_LONGEST_NAME = 50  # of a folder, which gets more added to it


def snapshot(run: Run, file: ModelFile) -> ModelFile:
    """A model that was given, copied with the files beside it that hold a part of it.

    Raises:
        UnusableInput: it cannot be read or copied, or changed meanwhile.
    """
    folder = run.kept(file.path.parent.name[:_LONGEST_NAME] or "model")
    path = copied_to(file.path, folder)
    run.pool.names(path, file.path)
    found = replace(detect(path), given=file.path)
    if (found.format, found.variant) != (file.format, file.variant):
        raise _changed(file.path)
    for name in _beside(run, found, file.path):
        copied_to(file.path.parent / name, (folder / name).parent)
        found = replace(found, beside=(*found.beside, (name, digest(folder / name).sha256)))
    return replace(found, sha256=digest(path).sha256)


def sealed(run: Run, candidate: Candidate, form: Path | None = None) -> Candidate:
    """A target as it was made, copied with all that lies in its folder; as it is where it was not made, or is a copy.

    Args:
        run: the surroundings.
        candidate: the target.
        form: the source's ONNX form. Where that is a copy already, and the same to the byte, it is the target: one file in memory.

    Raises:
        UnusableInput: it holds something other than files and folders, or there is no space.
    """
    made = candidate.path
    if not made.exists() or made.is_relative_to(run.copies):
        return candidate
    if form is not None and form.name == made.name and form.is_relative_to(run.copies):
        with_links = any(entry.is_symlink() for entry in made.parent.rglob("*"))
        if not with_links and digest(made.parent).sha256 == digest(form.parent).sha256:
            return replace(candidate, path=form, sha256=digest(form).sha256)
    path = sealed_file(run, made, "target")
    return replace(candidate, path=path, sha256=digest(path).sha256)


def copied(run: Run, path: Path) -> tuple[Path, str]:
    """A file that a worker made, where no worker changes it, and its SHA-256. Raises UnusableInput for what cannot be copied."""
    copy = copied_to(path, run.kept("part"))
    return copy, digest(copy).sha256


def admit(run: Run, model: ModelOptions, arguments: Mapping[str, Any] | None = None) -> None:
    """Let workers read what the user names besides models: files in a converter's arguments, and the code of `--model`.

    That code lies in the working folder: its Python files and packages, and nothing else that is there.
    """
    named = (Path(value) for value in (arguments or {}).values() if isinstance(value, str))
    run.pool.allow(path for path in named if path.is_absolute() and path.exists())
    if model.factory:
        folder = Path.cwd()
        packages = (entry.parent for entry in folder.glob("*/__init__.py"))
        named_package = folder / model.factory.partition(":")[0].partition(".")[0]
        run.pool.allow((*folder.glob("*.py"), *packages, named_package), listed=(folder,))


def confirm(file: ModelFile) -> None:
    """See that a model that was given, and the copy that was run, are what they were.

    Raises:
        UnusableInput: the file is another by now.
        NoVerdict: the copy is, which only code in the model can have done.
    """
    if file.part is not None:
        if digest(file.path).sha256 != file.sha256:
            raise NoVerdict(f"{file.named}: its part was changed while it ran", "do not trust this file")
        file = file.part.whole
    for name, sha256 in ((file.path.name, file.sha256), *file.beside):
        if digest(file.path.parent / name).sha256 != sha256:
            raise NoVerdict(f"{file.named}: the copy that was run was changed while it ran", "do not trust this file")
        if digest(file.named.parent / name).sha256 != sha256:
            raise _changed(file.named)


def confirm_all(source: Source, *others: ModelFile) -> None:
    """See that all that a run was given is what it was: the source, other models, the inputs. Raises as `confirm`."""
    for file in (source.file, *others):
        confirm(file)
    data = source.data
    if (
        data.files is not None
        and data.files.in_place
        and samples_digest(data.rest or all_first(data.inputs)) != data.samples
    ):
        raise UnusableInput(
            f"--inputs {data.files.path}: changed while it was read", "run it again when nothing writes it"
        )
    if data.rest is not None and data.rest.part is not None:
        return
    if not data.generated and data.inputs.digest() != data.sha256:
        raise NoVerdict("the copy of the inputs that was read was changed meanwhile", "do not trust this model")
    if data.files is None:
        return
    try:
        unchanged = data.inputs.digest(data.files.path) == data.sha256
    except OSError:
        unchanged = False
    if not unchanged:
        raise UnusableInput(
            f"--inputs {data.files.path}: changed while it was read", "run it again when nothing writes it"
        )


def _changed(path: Path) -> UnusableInput:
    return UnusableInput(f"{path}: changed while it was read", "run it again when nothing writes it")


def _beside(run: Run, file: ModelFile, given: Path) -> list[str]:
    """Files beside a model that hold a part of it, relative to its folder; those of them that are there.

    Raises:
        UnusableInput: one is a link out of the folder: copied, nobody could tell it from the model's own any more.
    """
    if file.variant == "checkpoint":
        stem = given.name.removesuffix(".meta")
        names: Iterable[str] = (
            entry.name
            for entry in given.parent.iterdir()
            if entry.name == f"{stem}.index" or entry.name.startswith(f"{stem}.data-")
        )
    elif file.format == "onnx" and _mentions(file.path, b"location"):
        names = external_files(run, file.path)
    else:
        return []
    plain = (name for name in names if ".." not in PurePosixPath(name).parts and not PurePosixPath(name).is_absolute())
    found = sorted({name for name in plain if is_there(given.parent / name)})
    root = given.parent.resolve()
    for name in found:
        if not (given.parent / name).resolve().is_relative_to(root):
            raise UnusableInput(
                f"{given}: its data {name} is a link that leads outside the model's folder; refused",
                "copy the folder with the files themselves (cp -rL)",
            )
    return [name for name in found if (given.parent / name).is_file()]


def external_files(run: Run, path: Path) -> list[str]:
    """Files that an .onnx names as parts of itself, by name, there or not."""
    request = CallFunction(framework("onnx", run.adapters).folder, "external_files", {"path": path})
    try:
        return list(run.pool.worker("onnx").call("onnx", f"reading {path.name}", request))
    except (AdapterFailure, UnusableInput):
        return []  # no whole ONNX file; whoever loads it says so


def _mentions(path: Path, word: bytes) -> bool:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(word) >= 0
