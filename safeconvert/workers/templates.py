"""Processes that have imported a framework and fork workers: each framework is imported once a run, or once for many runs.

A worker must be a process that nothing ran in before: a model may hold code. To start one anew costs the import of its framework,
two to ten seconds, and a conversion starts up to five. So a framework is imported once in a *template* (`_template.py`), which
loads no model and no adapter, and each worker is a fork of it, contained like any other before it is told of a model.

What a template imports is what the manifests of safeconvert's own adapters name; an adapter of somebody else's may name these
too, and whatever else it needs is imported in its worker. Templates exist for safeconvert's own interpreter, on Linux. Wherever
there is none, or it fails, a worker is started anew.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Any

from safeconvert.core.resources import data_folder
from safeconvert.errors import UnusableInput
from safeconvert.registry.manifest import read_manifest
from safeconvert.workers.preloads import Kind, Preloads
from safeconvert.workers.requests import CallFunction, ImportModules, LoadAdapter, OpenModel, Request
from safeconvert.workers.start import Start

_PROGRAM = Path(__file__).with_name("_template.py")
_ROOT = _PROGRAM.parents[2]
_END_SECONDS = 2.0
_POLL_SECONDS = 0.1
_PLACES = ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
           "MPLCONFIGDIR", "TORCH_HOME", "KERAS_HOME", "HF_HOME")  # fmt: skip
"""Variables that name a worker's own folder; they differ from worker to worker, and no import depends on them."""
_CALLER = ("PYTEST_CURRENT_TEST", "COLUMNS", "LINES", "PWD", "OLDPWD", "SHLVL", "_")
"""Variables that say where safeconvert was called from; a template for each would pile up in a process of many runs."""


@dataclass(frozen=True)
class Wait:
    """How long to wait: to a time of `time.monotonic`, and while nobody says otherwise."""

    deadline: float
    cancelled: threading.Event


class Forked:
    """A process that a template forked; its leader's number is its process group's."""

    def __init__(self, pid: int, status: int, tell: Callable[[Request], None]) -> None:
        """With its status pipe; `tell` is told what it is asked."""
        self.pid = pid
        self.tell = tell
        self._status = status
        self._code: int | None = None
        self._lock = threading.Lock()

    def wait(self) -> int:
        """Its exit code when it ended, as `subprocess` gives it; where its template is gone, it is killed."""
        with self._lock:
            if self._code is None:
                line = _number(self._status, None)
                os.close(self._status)
                if line is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(self.pid, signal.SIGKILL)
                self._code = -signal.SIGKILL if line is None else line
            return self._code


class Template:
    """One process that imports modules and then forks.

    It is told at once what to fork, and does so when it has imported; the descriptors of what was to be forked close with it.
    """

    def __init__(self, control: socket.socket, process: subprocess.Popen[bytes] | None = None) -> None:
        """With the process, where this one started it."""
        self._control = control
        self._process = process
        self._lock = threading.Lock()

    def fork(self, start: Start, wait: Wait, tell: Callable[[Request], None]) -> Forked:
        """A worker; `tell` is told what it is asked.

        Raises:
            OSError: the template is gone, or the wait is over (TimeoutError, InterruptedError).
        """
        reading, writing = os.pipe()
        request = {"fork": "worker", "folder": str(start.folder), "environment": dict(start.environment)}
        try:
            try:
                self._send(request, (start.printed, start.requests, start.replies, writing))
            finally:
                os.close(writing)
            pid = _number(reading, wait)
            if pid is None:
                raise ConnectionError("the template is gone")
        except OSError:
            os.close(reading)
            raise
        return Forked(pid, reading, tell)

    def grown(self, modules: Sequence[str], adapters: Sequence[Path] = ()) -> Template:
        """A template that has imported more, and loaded adapters. Raises OSError where this one is gone."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                request = {"fork": "template", "modules": list(modules), "adapters": list(map(str, adapters))}
                self._send(request, (theirs.fileno(),))
            except OSError:
                ours.close()
                raise
        return Template(ours)

    def close(self) -> None:
        """Let it end, with the workers that it forked."""
        self._control.close()

    def ended(self) -> None:
        """Wait until the process that was started here has ended; kill it where it does not."""
        if self._process is not None:
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def _send(self, request: Mapping[str, Any], descriptors: Sequence[int]) -> None:
        with self._lock:
            socket.send_fds(self._control, [json.dumps(request).encode()], descriptors)


@dataclass(frozen=True)
class _Key:
    """Which template: what it has imported, under which variables, and the folders of the adapters that it has loaded."""

    modules: tuple[str, ...]
    environment: frozenset[tuple[str, str]]
    adapters: tuple[Path, ...] = ()


class Templates:
    """The templates of a run, or of many. Use as a context manager: leaving it ends every process that they forked."""

    def __init__(self) -> None:
        self._made: dict[_Key, Template | None] = {}
        self.preloads = Preloads()
        self._lock = threading.Lock()

    def __enter__(self) -> Templates:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def fork(self, python: Path, request: Request, start: Start, wait: Wait) -> Forked | None:
        """A worker that has imported what a request needs, as far as a template may; None where a new process has to do.

        Args:
            python: the interpreter it is to run in.
            request: the first that it is to answer.
            start: how it starts.
            wait: for how long.

        Raises:
            OSError: the wait was over, by the clock or by the caller (TimeoutError, InterruptedError), or there are no
                descriptors left.
        """
        modules = modules_of(request)
        if not modules or python != Path(sys.executable) or sys.platform != "linux":
            return None
        kept = frozenset((name, value) for name, value in start.environment.items() if name not in (*_PLACES, *_CALLER))
        kind = Kind(modules, start.role)
        key = _Key(modules, kept, self.preloads.of(kind))
        try:
            template = self._template(key, start.environment)
            tell = partial(self.preloads.tell, kind)
            return template.fork(start, wait, tell) if template is not None else None
        except ConnectionError:
            with self._lock:
                gone, self._made[key] = self._made.get(key), None
            if gone is not None:
                gone.close()
            return None

    def close(self) -> None:
        """End the templates and all that they forked."""
        with self._lock:
            made = [template for template in self._made.values() if template is not None]
            self._made.clear()
        for template in made:
            template.close()
        for template in made:
            template.ended()

    def _template(self, key: _Key, environment: Mapping[str, str]) -> Template | None:
        """The template of a key, None where it failed.

        The first of its modules is imported once for all that begin with it, and all of them once for whatever adapters are loaded.
        """
        root, plain = replace(key, modules=key.modules[:1], adapters=()), replace(key, adapters=())
        with self._lock:
            if root not in self._made:
                self._made[root] = _start(root.modules, environment)
            for made, before in ((plain, root), (key, plain)):
                if made not in self._made:
                    first = self._made[before]
                    more = made.modules[len(before.modules) :]
                    self._made[made] = first.grown(more, made.adapters) if first is not None else None
            return self._made[key]


_SHARED: ContextVar[Templates | None] = ContextVar("templates", default=None)


@contextmanager
def sharing(templates: Templates) -> Iterator[None]:
    """Within, the runs of this thread fork their workers from these templates, and leave them running."""
    token = _SHARED.set(templates)
    try:
        yield
    finally:
        _SHARED.reset(token)


@contextmanager
def run_templates() -> Iterator[Templates]:
    """The shared templates, or some for this run alone. Workers of a run that shares them begin with what those of earlier ones loaded."""
    shared = _SHARED.get()
    if shared is not None:
        shared.preloads.adopt()
        yield shared
        return
    with Templates() as own:
        yield own


def modules_of(request: Request) -> tuple[str, ...]:
    """What a template may import for a worker whose first request this is: the first of its modules that are known.

    Modules are named by the request itself, or by the manifest of the adapter that it loads.
    """
    match request:
        case ImportModules(modules):
            named = tuple(modules)
        case CallFunction(folder, _, _, modules):
            named = tuple(modules) or _named(folder / "adapter.toml")
        case LoadAdapter(folder) | OpenModel(folder, _):
            named = _named(folder / "adapter.toml")
        case _:
            named = ()
    return tuple(takewhile(lambda module: module in _known(), named))


def _named(manifest: Path) -> tuple[str, ...]:
    try:
        return read_manifest(manifest).modules
    except UnusableInput:
        return ()


@cache
def _known() -> frozenset[str]:
    """What safeconvert's own adapters import, those with environments of their own aside."""
    manifests = (read_manifest(path) for path in sorted(data_folder("adapters").glob("*/adapter.toml")))
    return frozenset(name for adapter in manifests if not adapter.requirements for name in adapter.modules)


def _start(modules: Sequence[str], environment: Mapping[str, str]) -> Template:
    """A new process; it imports while nobody waits for it."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        try:
            process = subprocess.Popen(
                [sys.executable, str(_PROGRAM), str(theirs.fileno()), str(_ROOT), *modules],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=tempfile.gettempdir(),
                env=dict(environment),
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
    return Template(ours, process)


def _number(pipe: int, wait: Wait | None) -> int | None:
    """The next number on a pipe; None at its end. Raises TimeoutError, InterruptedError."""
    data = b""
    while not data.endswith(b"\n"):
        if wait is not None:
            ready, _, _ = select.select([pipe], [], [], _POLL_SECONDS)
            if wait.cancelled.is_set():
                raise InterruptedError(errno.ECANCELED, os.strerror(errno.ECANCELED))
            if not ready:
                if time.monotonic() > wait.deadline:
                    raise TimeoutError
                continue
        byte = os.read(pipe, 1)
        if not byte:
            return None
        data += byte
    return int(data)
