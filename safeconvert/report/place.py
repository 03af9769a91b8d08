"""The place of a file beside a command's own, asked for with a flag."""

from __future__ import annotations

from pathlib import Path

from safeconvert.errors import UnusableInput


def make_way(flag: str, path: Path, endings: tuple[str, ...]) -> None:
    """Take away what an earlier run left there, and see that the place can be written.

    Raises:
        UnusableInput: a name with another ending, so that no model and no certificate is overwritten by a slip; a place
            that cannot be written.
    """
    if not path.name.endswith(endings) or path.name.endswith(".certificate.json"):
        raise UnusableInput(f"{flag} {path}: such a file ends in {endings[0]}", f"name it {path.stem}{endings[0]}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
        path.unlink()
    except OSError as error:
        raise UnusableInput(f"{flag} {path}: cannot be written: {error.strerror}", "name another place") from error
