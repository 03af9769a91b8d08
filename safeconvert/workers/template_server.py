"""A template that imports for several processes, each of which forks workers from templates of its own."""

from __future__ import annotations

import os
import select
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safeconvert.core.containment import Mode
from safeconvert.workers.template import Template, number_on, start_template
from safeconvert.workers.variables import variables

_PLACES = ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
           "MPLCONFIGDIR", "TORCH_HOME", "KERAS_HOME", "HF_HOME")  # fmt: skip
"""Variables that name a worker's own folder; they differ from worker to worker, and no import depends on them."""
_CALLER = ("PYTEST_CURRENT_TEST", "COLUMNS", "LINES", "PWD", "OLDPWD", "SHLVL", "_")
"""Variables that say where safeconvert was called from; a template for each would pile up in a process of many runs."""


@dataclass(frozen=True)
class Key:
    """Which template: what it has imported, under which variables, and the folders of the adapters that it has loaded."""

    modules: tuple[str, ...]
    environment: frozenset[tuple[str, str]]
    adapters: tuple[Path, ...] = ()


@contextmanager
def serving() -> Iterator[Template | None]:
    """A template that imports nothing by itself, for the processes that are given its descriptor; None where there are no templates.

    Within, it is there; behind it ends, and whatever was forked from it.
    """
    if sys.platform != "linux":
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        made = start_template((), _variables(Path(folder)))
        try:
            yield made
        finally:
            made.close()
            made.ended()


def opened(descriptor: int, told: Callable[[int], None]) -> Server:
    """The server behind a descriptor that this process was started with."""
    control = socket.socket(fileno=descriptor)
    control.set_inheritable(False)
    return Server(Template(control), _variables(Path("/")), told)


def _variables(folder: Path) -> dict[str, str]:
    return variables(Path(sys.executable), folder, Mode.AUTO)


class Server:
    """A template that imports for several processes: each has templates of its own, forked from what is there once."""

    def __init__(self, control: Template, environment: Mapping[str, str], told: Callable[[int], None]) -> None:
        """With the variables that it was started with; `told` is told the process number of each template."""
        self.environment = kept(environment)
        self._control = control
        self._told = told
        self._born: list[int] = []
        self._lock = threading.Lock()

    def template(self, keys: Sequence[Key]) -> Template | None:
        """A template of the last key, which is made of those before it; None where the server is gone."""
        levels, before = [], 0
        for key in dict.fromkeys(keys):
            folders = list(map(str, key.adapters))
            levels.append({"key": repr((key.modules, folders)), "modules": key.modules[before:], "adapters": folders})
            before = len(key.modules)
        try:
            made, born = self._control.shared(levels)
        except OSError:
            return None
        with self._lock:
            self._born.append(born)
        return made

    def close(self) -> None:
        """Let go of it; it is there for others."""
        self._control.close()
        with self._lock:
            for born in self._born:
                os.close(born)
            self._born.clear()

    def report(self) -> None:
        """Tell of the templates that have come to life since."""
        with self._lock:
            ready, _, _ = select.select(self._born, [], [], 0)
            for born in ready:
                self._born.remove(born)
                number = number_on(born, None)
                os.close(born)
                if number is not None:
                    self._told(number)


def kept(environment: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    """The variables on which imports depend."""
    return frozenset((name, value) for name, value in environment.items() if name not in (*_PLACES, *_CALLER))
