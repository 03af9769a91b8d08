"""How a target comes to the output path: last, whole, beside its certificate, and never over a file of the user's.

What stands there is moved aside (`<target>.previous`, with its certificate, evidence and report) only when the new target lies
ready, verified, in the same folder. Then evidence, certificate and target are renamed to their places, in this order, so that there
is no moment with a target and no certificate. What was moved aside comes back where any of that fails, and is removed where it was
safeconvert's own, unchanged since it was certified; the user's own files stay aside.
"""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safeconvert.certificate.check import read_certificate
from safeconvert.certificate.digest import digest
from safeconvert.core.paths import PAGE_MARK, certificate_path, evidence_path, has_mark, remove, report_path
from safeconvert.errors import NoVerdict, SafeconvertError, UnusableInput


@dataclass(frozen=True)
class Published:
    """What became of a publication.

    Attributes:
        certificate: its path.
        kept: what stood at the output path, was not safeconvert's, and lies aside now.
    """

    certificate: Path
    kept: tuple[Path, ...]


@dataclass(frozen=True)
class _Move:
    """A file or folder on its way: where it is, and where it belongs."""

    now: Path
    destination: Path


def publish(made: Path, sha256: str, target: Path, certify: Callable[[], Path]) -> Published:
    """Bring a verified target, and what lies in its folder with it, to the output path.

    Args:
        made: the target, in a folder of its own together with its side files (external data).
        sha256: what was verified.
        target: the output path.
        certify: writes the evidence and the certificate beside the output path; gives the certificate's path.

    Raises:
        UnusableInput: the disk is full, or the folder cannot be written.
        NoVerdict: what was copied is not what was verified.

    Whatever is raised, all stands as it stood before.
    """
    staged: list[_Move] = []
    try:
        _stage(made, target, staged)
        if digest(staged[-1].now).sha256 != sha256:
            raise NoVerdict(f"{target.name}: the target changed after it was verified; it is not published")
        own = owned(target)
        # the target goes first and comes back last: it never stands without its certificate
        paths = list(dict.fromkeys([target, *_around(target), *sorted(own), *(move.destination for move in staged)]))
        aside = _aside(target, paths)
        try:
            for move in aside:
                os.replace(move.destination, move.now)
            certificate = certify()
            for move in staged:
                os.replace(move.now, move.destination)
        except BaseException:
            _undo(paths, aside)
            raise
    except OSError as error:
        raise UnusableInput(
            f"{target}: cannot be written: {error.strerror or error}", "free some space, or use -o"
        ) from error
    finally:
        for move in staged:
            remove(move.now)
    for move in aside:
        if move.destination in own:
            remove(move.now)
    return Published(certificate, tuple(move.now for move in aside if move.destination not in own))


def withdraw(target: Path) -> None:
    """Remove a target that safeconvert wrote, with what belongs to it; anything else stays."""
    for path in owned(target):
        remove(path)


def owned(target: Path) -> frozenset[Path]:
    """What safeconvert wrote at a path and beside it, and nobody has changed since; empty where the target is not its own.

    The certificate says so: that the target was written with it (`written`), and target, files beside it and evidence by their digests. One that was
    written for a target that was there already, as `verify` does, makes nothing of it safeconvert's.
    """
    certificate = certificate_path(target)
    if target.is_symlink() or not certificate.is_file():
        return frozenset()
    try:
        content = read_certificate(certificate)
        if content.get("written") is not True:
            return frozenset()
        named = {target: content["target"]["sha256"]}
        named |= {target.parent / Path(each["path"]).name: each["sha256"] for each in content["target"]["files"]}
        if "evidence" in content:
            named[evidence_path(certificate)] = content["evidence"]["sha256"]
        found = {path for path, sha256 in named.items() if path.exists() and digest(path).sha256 == sha256}
    except (SafeconvertError, KeyError, TypeError, AttributeError):
        return frozenset()
    if target.exists() and target not in found:
        return frozenset()
    report = report_path(certificate)
    return frozenset((*found, certificate, *((report,) if has_mark(report, PAGE_MARK) else ())))


def _around(target: Path) -> tuple[Path, ...]:
    """What belongs to a target, beside it."""
    certificate = certificate_path(target)
    return certificate, evidence_path(certificate), report_path(certificate)


def _stage(made: Path, target: Path, staged: list[_Move]) -> None:
    """Copy into the target's folder under names that nobody reads; the target itself last."""
    beside = sorted(entry for entry in made.parent.iterdir() if entry != made)
    for source, path in [*((entry, target.with_name(entry.name)) for entry in beside), (made, target)]:
        partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
        staged.append(_Move(partial, path))
        if source.is_dir():
            shutil.copytree(source, partial, symlinks=True)
            continue
        shutil.copyfile(source, partial, follow_symlinks=False)
        if not partial.is_symlink():
            with partial.open("rb") as file:
                os.fsync(file.fileno())


def _undo(paths: list[Path], aside: list[_Move]) -> None:
    """Bring back what was moved aside, and remove what came in its place, or where nothing was."""
    there = {move.destination: move for move in aside}
    for destination in reversed(paths):
        move = there.get(destination)
        if move is None:
            remove(destination)
        elif os.path.lexists(move.now):
            remove(destination)
            os.replace(move.now, destination)


def _aside(target: Path, paths: list[Path]) -> list[_Move]:
    """Where all that stands at the places would lie aside; under one new name, so that it stays together."""
    there = [destination for destination in paths if os.path.lexists(destination)]
    for number in range(1, 1 << 30):
        moves = [_Move(_aside_name(target, destination, number), destination) for destination in there]
        if not any(os.path.lexists(_aside_name(target, destination, number)) for destination in paths):
            return moves
    raise OSError(errno.EEXIST, os.strerror(errno.EEXIST))


def _aside_name(target: Path, path: Path, number: int) -> Path:
    """`model.keras.previous`, `model.keras.previous.certificate.json`, `weights.bin.previous`."""
    mark = ".previous" if number == 1 else f".previous-{number}"
    if path.name.startswith(target.name):
        return path.with_name(target.name + mark + path.name.removeprefix(target.name))
    return path.with_name(path.name + mark)
