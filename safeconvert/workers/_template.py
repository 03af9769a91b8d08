"""A process that has imported a framework and adapters, and forks workers: importing takes seconds, forking milliseconds.

No model and no adapter of somebody else's is ever loaded here, so that every worker begins as one that was started anew and then
imported the same modules. Only the standard library is imported at the top, and this runs single-threaded Python: what a framework's import started
(OpenBLAS' idle threads) is made again in a forked process by the library itself.

It is started as `python _template.py CONTROL_FD PACKAGE_ROOT MODULE…`. Each message on the control socket is one JSON object with
file descriptors:
    {"fork": "worker", "folder", "environment"}   printed, requests, replies, status
    {"fork": "template", "modules", "adapters"}   control
    {"fork": "shared", "levels"}                  control, status
The last is a template too, of which the imports are done once for all hosts that ask this process: each level, an object with "key", "modules" and
"adapters", is a template that stays, forked from that of the level before, and what was asked for is forked from the last. It writes `PID\n` to
its status pipe. A worker writes `PID\n` to its status pipe, and its template `CODE\n` when it ended (negative: the signal). When the control
socket closes, the workers end; a template that was forked has a control socket of its own.
"""

from __future__ import annotations

import gc
import importlib
import importlib.util
import json
import os
import select
import signal
import socket
import sys
import tempfile
import traceback
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_LONGEST_MESSAGE = 1 << 20
_MOST_DESCRIPTORS = 8
_MADE_FOR_ONE = json.dumps({"fork": "template", "modules": [], "adapters": []}).encode()


def load_worker() -> types.ModuleType:
    """The module `_worker` beside this file, under a name that no package has."""
    spec = importlib.util.spec_from_file_location("_safeconvert_worker", Path(__file__).with_name("_worker.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def import_modules(modules: Sequence[str], worker: types.ModuleType) -> list[Any]:
    """Import what can be imported; the rest is left for the worker that needs it, which says why it cannot. When each was imported."""
    spans: list[Any] = []
    with _uncollected():
        for module in modules:
            try:
                with worker.timed(spans, module, os.getpid()):
                    importlib.import_module(module)
            except Exception:  # noqa: BLE001 - a module may raise anything
                traceback.print_exc()
                break
    return spans


def load_adapters(folders: Sequence[str], worker: types.ModuleType) -> list[Any]:
    """Load adapters, and import what each says (`PRELOADED`) that it imports when it works; as `import_modules`."""
    spans: list[Any] = []
    with _uncollected():
        if folders:
            importlib.import_module("safeconvert.adapter_api.feeding")
        for folder in folders:
            try:
                with worker.timed(spans, Path(folder).name, os.getpid()):
                    for module in getattr(worker.load_adapter(folder), "PRELOADED", ()):
                        importlib.import_module(module)
            except Exception:  # noqa: BLE001 - a module may raise anything
                traceback.print_exc()
    return spans


@contextmanager
def _uncollected() -> Iterator[None]:
    """Within, no garbage is collected: that takes a quarter of TensorFlow's import, and finds one object in 200.

    What is there behind it stays shared with the forked processes, whose collections do not look at it.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class Template:
    """Forks on request, and tells each forked process' end."""

    def __init__(self, control: socket.socket, worker: types.ModuleType, spans: Sequence[Any]) -> None:
        """With the module that workers are made of, and the spans of what was imported."""
        self._spans = spans
        self._control = control
        self._worker = worker
        self._statuses: dict[int, int] = {}
        self._shared: dict[str, socket.socket] = {}
        self._wake, self._woken = -1, -1

    def serve(self) -> int:
        """Until the control socket closes; also what a forked process does, whose exit code this then is."""
        self._wake, self._woken = os.pipe()
        os.set_blocking(self._woken, False)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        control = self._control.fileno()
        while True:
            ready, _, _ = select.select([control, self._wake], [], [])
            if self._wake in ready:
                os.read(self._wake, 1 << 12)
            self._reap()
            if control in ready:
                message, descriptors, _, _ = socket.recv_fds(self._control, _LONGEST_MESSAGE, _MOST_DESCRIPTORS)
                if not message:
                    return self._end()
                request = json.loads(message)
                if request["fork"] == "shared":
                    if not self._share(request["levels"], descriptors):
                        return 0
                    continue
                pid = os.fork()
                if pid == 0:
                    return self._begin(request, descriptors)
                if request["fork"] == "worker":
                    self._statuses[pid] = descriptors.pop()
                for descriptor in descriptors:
                    os.close(descriptor)

    def _share(self, levels: Sequence[dict[str, Any]], descriptors: Sequence[int]) -> bool:
        """Have a template forked from the one of the last level. False in a process that was forked for a level, when it has served."""
        try:
            last = None
            for level in levels:
                last = self._level(level, last)
                if last is None:
                    return False
            assert last is not None
            socket.send_fds(last, [_MADE_FOR_ONE], descriptors)
        except OSError:  # one of them has died: whoever asks again gets new ones
            for held in self._shared.values():
                held.close()
            self._shared.clear()
        for descriptor in descriptors:
            os.close(descriptor)
        return True

    def _level(self, level: dict[str, Any], before: socket.socket | None) -> socket.socket | None:
        """The control socket of a level's template, which is forked where it is not there; None in that fork, when it has served."""
        if level["key"] not in self._shared:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            request = {"fork": "template", "modules": level["modules"], "adapters": level["adapters"]}
            if before is not None:
                socket.send_fds(before, [json.dumps(request).encode()], (theirs.fileno(),))
            elif os.fork() == 0:
                ours.close()
                self._begin(request, [theirs.detach()])
                return None
            theirs.close()
            self._shared[level["key"]] = ours
        return self._shared[level["key"]]

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self._statuses:
                pipe = self._statuses.pop(pid)
                _write(pipe, os.waitstatus_to_exitcode(status))
                os.close(pipe)

    def _end(self) -> int:
        for pid in self._statuses:
            try:
                os.killpg(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return 0

    def _begin(self, request: dict[str, Any], descriptors: Sequence[int]) -> int:
        """In the forked process: be what was asked for."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._control.close()
        for held in self._shared.values():
            held.close()
        for descriptor in (self._wake, self._woken, *self._statuses.values()):
            os.close(descriptor)
        os.setsid()
        if request["fork"] == "template":
            spans = [*self._spans, *import_modules(request["modules"], self._worker)]
            spans += load_adapters(request["adapters"], self._worker)
            for status in descriptors[1:]:
                _write(status, os.getpid())
                os.close(status)
            return Template(socket.socket(fileno=descriptors[0]), self._worker, spans).serve()
        sys.dont_write_bytecode = True
        printed, requests, replies, status = descriptors
        _write(status, os.getpid())
        os.close(status)
        for standard in (1, 2):
            os.dup2(printed, standard)
        os.close(printed)
        os.chdir(request["folder"])
        os.environ.clear()
        os.environ.update(request["environment"])
        tempfile.tempdir = None  # the environment says where
        sys.argv[1:] = [str(requests), str(replies), *sys.argv[2:3]]  # as those of a worker that is started anew
        return int(self._worker.serve(requests, replies, guarded=True, spans=self._spans))


def _write(pipe: int, number: int) -> None:
    """A number and a newline; nobody may be there to read it."""
    try:
        os.write(pipe, b"%d\n" % number)
    except BrokenPipeError:
        return


def main(argv: list[str]) -> int:
    """Import, then serve."""
    worker = load_worker()
    worker.prepare(argv[2])
    sys.dont_write_bytecode = (
        False  # no worker writes it: what is imported in a checkout would be compiled again and again
    )
    importlib.import_module("safeconvert.workers.containment.enforce")  # the first that every worker does
    spans = import_modules(argv[3:], worker)
    return Template(socket.socket(fileno=int(argv[1])), worker, spans).serve()


if __name__ == "__main__":
    code = 1
    try:
        code = main(sys.argv)
    except BaseException:  # noqa: BLE001 - a forked process ends here, and must not run what its parent would at its end
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
