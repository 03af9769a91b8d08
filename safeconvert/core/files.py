"""Text files written whole or not at all."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from safeconvert.errors import UnusableInput


def require_ending(flag: str, path: Path, ending: str) -> None:
    """Raise UnusableInput for a name with another ending, so that no model and no certificate is overwritten by a slip."""
    if not path.name.endswith(ending) or path.name.endswith(".certificate.json"):
        raise UnusableInput(f"{flag} {path}: such a file ends in {ending}", f"name it {path.stem}{ending}")


def write_text(path: Path, text: str) -> None:
    """Write a file in one rename; what was there before stays where that fails. Raises UnusableInput."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UnusableInput(f"{path}: cannot be written: {error.strerror}", "name another path") from error
