"""Environments of their own, for adapters whose packages do not go with the others; see `install` for how they are made.

An adapter with `requirements` in its manifest runs in the interpreter of a virtual environment that was made for it, or in
one that the settings name. It is optional: where there is none, its routes are not tried, and where all others fail the
message names what it would have offered.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from safeconvert.config.settings import AdapterSettings
from safeconvert.registry.manifest import Adapter, adapters
from safeconvert.registry.routes import routes

LOCK = "requirements.lock"


RECORD = "safeconvert.json"


@dataclass(frozen=True)
class Environment:
    """Where an adapter runs.

    Attributes:
        adapter: its name.
        state: `shared` (safeconvert's own), `given` (named in the settings), `installed`, `absent`, `outdated` (made from
            other requirements than the manifest's), or `broken`.
        python: the interpreter; of an absent one where it would be.
        reason: why it cannot be used; "" where it can.
    """

    adapter: str
    state: str
    python: Path
    reason: str = ""

    @property
    def usable(self) -> bool:
        """Whether the adapter can be tried."""
        return not self.reason

    @property
    def command(self) -> str:
        """What installs it."""
        return f"safeconvert adapters install {self.adapter}"


@dataclass(frozen=True)
class Offer:
    """What an adapter that is not installed would have offered.

    Attributes:
        adapter: its name.
        reason: why it cannot be used.
        routes: the routes through it.
        command: what installs it.
    """

    adapter: str
    reason: str
    routes: tuple[str, ...]
    command: str


def environment_folder(adapter: Adapter, settings: AdapterSettings) -> Path:
    """The folder of an adapter's environment."""
    if settings.environments is not None:
        return settings.environments / adapter.name
    data = os.environ.get("XDG_DATA_HOME", "")
    root = Path(data) if Path(data).is_absolute() else Path.home() / ".local" / "share"
    return root / "safeconvert" / "adapters" / adapter.name


def environment(adapter: Adapter, settings: AdapterSettings) -> Environment:
    """Where an adapter runs, and whether it can. Looks at files only; imports nothing."""
    given = settings.python.get(adapter.name)
    if given is not None:
        reason = "" if _runs(given) else f"the settings name {given}, which is no interpreter"
        return Environment(adapter.name, "broken" if reason else "given", given, reason)
    if not adapter.requirements:
        return Environment(adapter.name, "shared", adapter.python)
    folder = environment_folder(adapter, settings)
    python = interpreter(folder)
    if not folder.exists():
        return Environment(adapter.name, "absent", python, "not installed")
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Environment(adapter.name, "broken", python, f"broken: its installation in {folder} did not end")
    if not _runs(python):
        return Environment(adapter.name, "broken", python, f"broken: {python} is no interpreter")
    if not isinstance(record, dict) or record.get("requirements") != requirements_digest(adapter):
        return Environment(adapter.name, "outdated", python, "installed from other requirements than it has now")
    return Environment(adapter.name, "installed", python)


def interpreter(folder: Path) -> Path:
    """The interpreter of a virtual environment."""
    return folder / "bin" / "python"


def lock_file(adapter: Adapter) -> Path:
    """The exact versions, beside the manifest."""
    return adapter.folder / LOCK


def requirements_digest(adapter: Adapter) -> str:
    """Digest of what an adapter's environment is made from: its requirements, and its lock file where it has one."""
    lock = lock_file(adapter)
    pins = lock.read_text(encoding="utf-8").splitlines() if lock.is_file() else []
    text = "\n".join([*adapter.requirements, "", *(pin for pin in pins if not pin.startswith("#"))])
    return hashlib.sha256(text.encode()).hexdigest()


def known(settings: AdapterSettings) -> tuple[tuple[Adapter, ...], tuple[tuple[Adapter, Environment], ...]]:
    """The adapters that can be tried, each with its interpreter; and those that cannot, with why not."""
    usable: list[Adapter] = []
    missing: list[tuple[Adapter, Environment]] = []
    for adapter in adapters(settings.folders):
        where = environment(adapter, settings)
        if where.usable:
            usable.append(replace(adapter, python=where.python))
        else:
            missing.append((adapter, where))
    return tuple(usable), tuple(missing)


def offers(
    source: str, target: str, usable: Sequence[Adapter], missing: Sequence[tuple[Adapter, Environment]]
) -> tuple[Offer, ...]:
    """What each adapter that cannot be tried would have offered: the routes of one format to another through it."""
    found = []
    for adapter, where in missing:
        through = tuple(str(one) for one in routes(source, target, (*usable, adapter)) if adapter in one.adapters)
        if through:
            found.append(Offer(adapter.name, where.reason, through, where.command))
    return tuple(found)


def _runs(python: Path) -> bool:
    """Whether there is a program at a path."""
    return python.is_file() and os.access(python, os.X_OK)


_OF_THIS_ENVIRONMENT = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")


def inherited(python: Path) -> dict[str, str]:
    """The variables that a process of an interpreter inherits; one of another environment sees no packages of this one."""
    if python == Path(sys.executable):
        return dict(os.environ)
    return {name: value for name, value in os.environ.items() if name not in _OF_THIS_ENVIRONMENT}
