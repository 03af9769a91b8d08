"""Processes that have imported a framework and fork workers: each framework is imported once a run, or once for many runs.

A worker must be a process that nothing ran in before: a model may hold code. To start one anew costs the import of its framework,
two to ten seconds, and a conversion starts up to five. So a framework is imported once in a *template* (`_template.py`), which
loads no model and no adapter, and each worker is a fork of it, contained like any other before it is told of a model.

What a template imports is what the manifests of safeconvert's own adapters name; an adapter of somebody else's may name these
too, and whatever else it needs is imported in its worker. Templates exist for safeconvert's own interpreter, on Linux. Wherever
there is none, or it fails, a worker is started anew.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from itertools import pairwise, takewhile
from pathlib import Path
from types import TracebackType

from safeconvert.errors import UnusableInput
from safeconvert.registry.manifest import built_in, read_manifest
from safeconvert.workers.preloads import Kind, Preloads
from safeconvert.workers.requests import CallFunction, ImportModules, LoadAdapter, OpenModel, Request
from safeconvert.workers.start import Start
from safeconvert.workers.template import Forked, Template, Wait, start_template
from safeconvert.workers.template_server import Key, Server, kept

_BEFORE = {"tensorflow": "ml_dtypes", "onnx": "ml_dtypes"}
"""By framework, what it imports too and another one does, where that takes a while: a third of a second. It is imported once for both."""


class Templates:
    """The templates of a run, or of many. Use as a context manager: leaving it ends every process that they forked."""

    def __init__(self, server: Server | None = None) -> None:
        """With who imports for several processes that have templates, where there are such; once it fails, this one imports by itself."""
        self._server = server
        self._made: dict[Key, Template | None] = {}
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
        kind = Kind(modules, start.role)
        before = tuple(_BEFORE[name] for name in modules[:1] if name in _BEFORE)
        key = Key((*before, *modules), kept(start.environment), self.preloads.of(kind))
        try:
            template = self._template(key, start.environment)
            tell = partial(self.preloads.tell, kind)
            forked = template.fork(start, wait, tell) if template is not None else None
            server = self._server
            if server is not None:
                server.report()
            return forked
        except ConnectionError:
            with self._lock:
                gone, served = self._made.pop(key, None), self._server
                self._server = None
                if served is None:
                    self._made[key] = None
            if gone is not None:
                gone.close()
            if served is None:
                return None
            served.close()
            return self.fork(python, request, start, wait)

    def close(self) -> None:
        """End the templates and all that they forked."""
        with self._lock:
            made = [template for template in self._made.values() if template is not None]
            self._made.clear()
            served, self._server = self._server, None
        if served is not None:
            served.close()
        for template in made:
            template.close()
        for template in made:
            template.ended()

    def _template(self, key: Key, environment: Mapping[str, str]) -> Template | None:
        """The template of a key, None where it failed.

        Its framework is imported once for all that begin with it, and all modules once for whatever adapters are loaded.
        """
        with self._lock:
            levels = self._levels(key)
            root = levels[0]
            if self._server is not None and key not in self._made and key.environment == self._server.environment:
                made = self._server.template(levels)
                if made is not None:
                    self._made[key] = made
            if key in self._made:
                return self._made[key]
            if root not in self._made:
                self._made[root] = start_template(root.modules, environment)
            for before, next_key in pairwise(levels):
                if next_key not in self._made:
                    first = self._made[before]
                    more = next_key.modules[len(before.modules) :]
                    self._made[next_key] = first.grown(more, next_key.adapters) if first is not None else None
            return self._made[key]

    def _levels(self, key: Key) -> tuple[Key, ...]:
        """The templates that one is grown from, the first of them first, and itself; before it comes that which has loaded most of its adapters."""
        first = [key.modules[:count] for count in ((1, 2) if key.modules[0] in _BEFORE.values() else (1,))]
        plain = [replace(key, modules=modules, adapters=()) for modules in (*first, key.modules)]
        alike = (one for one in self._made if replace(one, adapters=key.adapters) == key)
        fewer = [one for one in alike if self._made[one] and one.adapters and set(one.adapters) < set(key.adapters)]
        return (*plain, *([max(fewer, key=lambda one: len(one.adapters))] if fewer else []), key)


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
            named = tuple(modules) or _named(folder)
        case LoadAdapter(folder) | OpenModel(folder, _):
            named = _named(folder)
        case _:
            named = ()
    return tuple(takewhile(lambda module: module in _known(), named))


def _named(folder: Path) -> tuple[str, ...]:
    own = [adapter.modules for adapter in built_in() if adapter.folder == folder]
    try:
        return own[0] if own else read_manifest(folder / "adapter.toml").modules
    except UnusableInput:
        return ()


def _known() -> frozenset[str]:
    """What safeconvert's own adapters import, those with environments of their own aside."""
    return frozenset(name for adapter in built_in() if not adapter.requirements for name in adapter.modules)
