"""The place of a file beside a command's own, asked for with a flag."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from pathlib import Path

from safeconvert.core.files import is_folder
from safeconvert.core.formats import SUFFIXES
from safeconvert.errors import UnusableInput

PAGE_MARK = " – safeconvert</title>".encode()
"""In the head of each page."""
_HEAD = 1 << 20  # bytes of a file in which a mark stands


def output_path(source: Path, target_format: str, requested: Path | None) -> Path:
    """The target's path: the one asked for, or beside the source with the format's suffix.

    Raises:
        UnusableInput: a suffix that the format does not have, a place that holds the source or lies in it, or one that
            cannot be written.
    """
    source = source.absolute()
    suffixes = SUFFIXES[target_format]
    if requested is None:
        stem = source.name.removesuffix(source.suffix).removesuffix("_saved_model")
        path = source.with_name(stem + suffixes[0])
    else:
        path = requested.absolute()
        if target_format != "tf" and path.suffix not in suffixes:
            raise UnusableInput(f"{requested}: a {target_format} target ends in {' or '.join(suffixes)}")
        if target_format == "tf" and path.suffix in (".pb", ".h5", ".keras"):
            raise UnusableInput(f"{requested}: a TensorFlow target is a SavedModel folder, not a {path.suffix} file")
    require_apart(source, path)
    _require_replaceable(path, target_format)
    _require_writable(path.parent)
    return path


def certificate_path(target: Path) -> Path:
    """`<target>.certificate.json`."""
    return target.with_name(target.name + ".certificate.json")


def evidence_path(certificate: Path) -> Path:
    """`<target>.evidence.zip` beside `<target>.certificate.json`."""
    return certificate.with_name(certificate.name.removesuffix(".json").removesuffix(".certificate") + ".evidence.zip")


def records_path(certificate: Path) -> Path:
    """`<name>.records.npy` beside `<name>.certificate.json`."""
    return certificate.with_name(certificate.name.removesuffix(".json").removesuffix(".certificate") + ".records.npy")


def report_path(certificate: Path) -> Path:
    """`<target>.report.html` beside `<target>.certificate.json`."""
    return certificate.with_name(certificate.name.removesuffix(".json").removesuffix(".certificate") + ".report.html")


def rejected_path(target: Path) -> Path:
    """`<target>.rejected`."""
    return target.with_name(target.name + ".rejected")


def remove(path: Path) -> None:
    """Remove a file or folder; nothing where there is none. A link is removed, not what it points to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _places(target: Path) -> tuple[Path, ...]:
    """All that a run may write."""
    rejected = rejected_path(target)
    certificates = certificate_path(target), certificate_path(rejected)
    derived = (path for each in certificates for path in (each, evidence_path(each), report_path(each)))
    return target, rejected, *derived


def require_apart(source: Path, target: Path) -> None:
    """Raise UnusableInput where what a run replaces at a target's place holds the source, or what it writes lies in a source folder."""
    real = Path(os.path.realpath(source))
    for path in map(Path, map(os.path.realpath, _places(target))):
        if path == real:
            raise UnusableInput(f"{target}: the output is the source itself", "name another file with -o")
        if real.is_relative_to(path) or path.is_relative_to(real):
            raise UnusableInput(
                f"{target}: the output and the source {source} lie in each other", "name another with -o"
            )


def _require_replaceable(path: Path, target_format: str) -> None:
    """A folder is replaced only where it is a SavedModel, and only by one."""
    if not is_folder(path):
        return
    if target_format != "tf" or not (path / "saved_model.pb").is_file():
        if target_format == "tf" and not any(path.iterdir()):
            return
        raise UnusableInput(f"{path}: a folder that is no SavedModel stands at the output path", "name another with -o")


def _probe(folder: Path) -> None:
    """Raise OSError where nothing can be written."""
    probe = folder / f".safeconvert-{uuid.uuid4().hex[:8]}"
    probe.touch()
    probe.unlink()


def _require_writable(folder: Path) -> None:
    try:
        _probe(folder)
    except OSError as error:
        raise UnusableInput(f"{folder}: cannot be written: {error.strerror}", "name another path with -o") from error


def require_own(flag: str, path: Path, mark: bytes) -> None:
    """See that a place holds nothing, or what safeconvert wrote as what goes there now: a slip in a name costs no file.

    Args:
        flag: that names the place, for the message.
        path: the place.
        mark: stands within the first bytes of every such file.

    Raises:
        UnusableInput: something else stands there.
    """
    if os.path.lexists(path) and not (has_mark(path, mark) or _is_empty(path)):
        raise UnusableInput(
            f"{flag} {path}: is there, and safeconvert did not write it as that: it is not written over",
            "name another file",
        )


def has_mark(path: Path, mark: bytes) -> bool:
    """Whether a mark stands within a file's first bytes."""
    try:
        with path.open("rb") as file:
            return mark in file.read(_HEAD)
    except OSError:
        return False


def _is_empty(path: Path) -> bool:
    """Whether a file holds nothing that could be lost; an object of nothing is what is written of no layers."""
    try:
        return path.is_file() and path.stat().st_size < len(b"{}\r\n") and path.read_bytes().strip() in (b"", b"{}")
    except OSError:
        return False


def make_way(flag: str, path: Path, endings: tuple[str, ...], mark: bytes) -> None:
    """Take away what an earlier run left there, and see that the place can be written. Of a link the link goes, and not what it points to.

    Raises:
        UnusableInput: a name with another ending, so that no model and no certificate is overwritten by a slip; something that is none of
            safeconvert's own such files, as `require_own`; a place that cannot be written.
    """
    if not path.name.endswith(endings) or path.name.endswith(".certificate.json"):
        raise UnusableInput(f"{flag} {path}: such a file ends in {endings[0]}", f"name it {path.stem}{endings[0]}")
    require_own(flag, path, mark)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _probe(path.parent)
        if path.is_file() and not path.is_symlink() and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UnusableInput(f"{flag} {path}: cannot be written: {error.strerror}", "name another path") from error
