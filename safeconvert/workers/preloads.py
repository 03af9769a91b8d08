"""Which adapters the workers of a role begin with: those that workers of earlier runs, which shared the templates, were asked for.

A run of its own begins with none: nothing is loaded ahead that nobody may ask for. Only what a host asked counts, never what a worker
says; and only safeconvert's own adapters, so that a template runs no code of somebody else's. Roles are apart, since an adapter may
change a framework that it imports: no source is run beside a converter that no source's worker was asked for.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from safeconvert.core.resources import data_folder
from safeconvert.registry.manifest import read_manifest
from safeconvert.workers.requests import CallFunction, LoadAdapter, OpenModel, Request

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Kind:
    """Workers that begin alike: what is imported for the first request, and their role in a conversion."""

    modules: tuple[str, ...]
    role: str


class Preloads:
    """What was asked of workers, by their kind. Told by many threads."""

    def __init__(self) -> None:
        self._asked: dict[Kind, dict[Path, None]] = {}
        self._adopted: dict[Kind, tuple[Path, ...]] = {}
        self._lock = threading.Lock()

    def tell(self, kind: Kind, request: Request) -> None:
        """A worker of a kind is asked something."""
        folder = _adapter_of(request)
        if folder is not None and is_own(folder):
            with self._lock:
                self._asked.setdefault(kind, {})[folder] = None

    def adopt(self) -> None:
        """What was asked so far is what workers begin with from now on."""
        with self._lock:
            self._adopted = {kind: tuple(sorted(folders)) for kind, folders in self._asked.items()}

    def of(self, kind: Kind) -> tuple[Path, ...]:
        """The folders of the adapters that a worker of a kind begins with, in order."""
        with self._lock:
            return self._adopted.get(kind, ())


def is_own(folder: Path) -> bool:
    """Whether an adapter comes with safeconvert and runs in its environment."""
    found = folder.resolve()
    return found in _own() or (found.is_relative_to(_PACKAGE) and found.is_dir())


@cache
def _own() -> frozenset[Path]:
    manifests = (read_manifest(path) for path in sorted(data_folder("adapters").glob("*/adapter.toml")))
    return frozenset(adapter.folder.resolve() for adapter in manifests if not adapter.requirements)


def _adapter_of(request: Request) -> Path | None:
    match request:
        case LoadAdapter(folder) | OpenModel(folder, _) | CallFunction(folder, _, _, _):
            return folder
        case _:
            return None
