"""What a worker may do, as its parent says it, and what of that held, as the worker answers. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from safeconvert.core.containment import Level, Mode


@dataclass(frozen=True)
class Policy:
    """What a worker may do.

    Attributes:
        mode: how much containment is asked for.
        readable: files and folders that it may read, besides its interpreter and the system's libraries.
        writable: folders that it may write.
        listed: folders of which it may see the names, of all that lies below them: where modules are looked for.
        memory: bytes that it may have resident.
        home: the user's own folder, which no search path for modules opens; "" for none.
    """

    mode: Mode
    readable: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    memory: int = 1 << 40
    home: str = ""

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Policy:
        """The inverse of `to_json`."""
        paths = {name: tuple(data[name]) for name in ("readable", "writable", "listed")}
        return Policy(**{**data, **paths, "mode": Mode(data["mode"])})

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return asdict(self)


@dataclass(frozen=True)
class Held:
    """What containment a worker's kernel gave it.

    Attributes:
        level: all in one word.
        landlock: version of Landlock that guards files (from 4 TCP too); 0 for none.
        seccomp: whether system calls are filtered: sockets, other processes, the kernel's own doors.
        limits: whether data, file size and open files are limited.
        environment: whether only listed variables were passed on.
    """

    level: Level
    landlock: int = 0
    seccomp: bool = False
    limits: bool = False
    environment: bool = False

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Held:
        """The inverse of `to_json`."""
        return Held(**{**data, "level": Level(data["level"])})

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return asdict(self)

    def __str__(self) -> str:
        if self.level is Level.OFF:
            return "off"
        means = (
            (f"Landlock {self.landlock}", self.landlock),
            ("seccomp", self.seccomp),
            ("limits", self.limits),
            ("environment", self.environment),
        )
        return f"{self.level} ({', '.join(name for name, held in means if held)})"

    @property
    def lacking(self) -> tuple[str, ...]:
        """What did not hold, in words."""
        if self.level is Level.OFF:
            return ("switched off",)
        found = ["no Landlock: files are not guarded"] if not self.landlock else []
        if 0 < self.landlock < OF_FILES:
            found.append(f"Landlock {self.landlock} does not guard files against being emptied")
        if not self.seccomp:
            found.append("no seccomp filter: sockets and processes are not guarded")
        if not self.limits:
            found.append("no resource limits")
        return tuple(found)


OF_FILES = 3
"""First version of Landlock that guards files against all that a process can do to them."""

UNCONTAINED = Policy(Mode.OFF)
"""May do all that the user may."""

NOTHING = Held(Level.OFF)
"""Of a worker that runs uncontained."""
