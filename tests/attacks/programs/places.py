"""Where the programs of this folder put an attack's model and what it would leave behind. Imported by them alone."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

SECRET = 7.25
"""The number that stands again and again in a file outside every model's folder; a model that reads it gives it away."""


@dataclass(frozen=True)
class Place:
    """An attack's folder.

    Attributes:
        folder: the attack's own; nothing of it is the model's but what lies in `model`.
    """

    folder: Path

    @property
    def model(self) -> Path:
        """The folder of the model's files."""
        path = self.folder / "in"
        path.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def marker(self) -> str:
        """A file that is there once code of the model has run."""
        return str(self.folder / "ran")

    @property
    def secret(self) -> str:
        """A file of the machine that is no part of the model: float32, 64 times the same number."""
        return str(self.folder.parent / "secret")


class Evil:
    """Pickled, it writes a file when it is loaded."""

    def __init__(self, place: Place) -> None:
        self._command = f"touch {place.marker}"

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (self._command,)


def make_all(attacks: Mapping[str, Callable[[Place], None]], folder: Path) -> None:
    """Make every attack in a folder of its name. What this version of the framework cannot make is left out, with the reason."""
    import numpy as np

    folder.mkdir(parents=True, exist_ok=True)
    np.full(64, SECRET, np.float32).tofile(folder / "secret")
    for name, make in attacks.items():
        place = Place(folder / name)
        place.folder.mkdir()
        make(place)


def rewritten(
    source: bytes, changed: Mapping[str, Callable[[bytes], bytes]], added: Mapping[str, bytes] | None = None
) -> bytes:
    """A zip archive with some members changed (by the end of their names) and others added beside the first one."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(source)) as archive, zipfile.ZipFile(made, "w") as out:
        names = archive.namelist()
        for name in names:
            data = archive.read(name)
            for tail, change in changed.items():
                if name.endswith(tail):
                    data = change(data)
            out.writestr(name, data)
        root = names[0].split("/")[0]
        for name, data in (added or {}).items():
            out.writestr(f"{root}/{name}", data)
    return made.getvalue()
