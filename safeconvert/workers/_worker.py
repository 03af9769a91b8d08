"""The other end of `worker`: a process that loads adapters and answers one JSON line with one JSON line.

Only the standard library is imported at the top: this file also runs in environments of adapters' own, which hold neither
safeconvert nor what it needs. It is started as `python _worker.py REQUEST_FD REPLY_FD PACKAGE_ROOT`; stdout and stderr belong to the
frameworks' chatter and go to a log. The first line is a policy (`workers.containment.policy`), answered with what held of it.

Operations:
    import    {modules}                       import modules ahead of need
    load      {adapter}                       import adapter.py
    versions  {packages}                      installed versions, without importing
    call      {adapter, function, arguments}  call a function of adapter.py with JSON arguments
    open      {adapter, arguments}            adapter.load(**arguments) -> {handle, signature}
    run       {handle, chunks, folder}        feed chunk files to an opened model -> output files
    accepts   {handle, chunks, folder}        whether an opened model runs on chunk files -> bool
    observe   {handle, chunks, folder}        feed chunk files to an opened model -> its inner tensors' files
    impurities {handle}                       what an opened model's outputs depend on beside its inputs -> [line]
    others    {handle}                        functions that the file of an opened model holds beside it -> [name]
    close     {handle}
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import importlib.util
import json
import os
import sys
import time
import traceback
import types
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_LARGE = 1 << 30  # bytes of a process that gives back what a request has left free


Span = tuple[str, str, int, float, float, float]
"""Category, name, pid (0: this process), beginning and end by `time.monotonic`, processor seconds."""


@contextmanager
def timed(spans: list[Span], module: str, pid: int = 0) -> Iterator[None]:
    """Adds the span of an import."""
    start, cpu = time.monotonic(), time.process_time()
    yield
    spans.append(("import", f"import {module}", pid, start, time.monotonic(), time.process_time() - cpu))


def offer_package(root: str) -> None:
    """Make `safeconvert` importable from its folder, and nothing else that lies beside it.

    Beside an installed safeconvert lie the packages of its own environment, whose versions another one must not see.
    """
    folder = Path(root) / "safeconvert"
    spec = importlib.util.spec_from_file_location(
        "safeconvert", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None and spec.loader is not None
    sys.modules["safeconvert"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["safeconvert"])


def load_adapter(folder: str) -> types.ModuleType:
    """Import `FOLDER/adapter.py` as part of a package, so that its sibling modules and `_shared` can be imported."""
    path = Path(folder)
    root = f"{path.parent.name}_{hashlib.sha256(str(path.parent).encode()).hexdigest()[:8]}"
    name = f"{root}.{path.name}.adapter"
    if name in sys.modules:
        return sys.modules[name]
    for package, where in ((root, path.parent), (f"{root}.{path.name}", path)):
        if package not in sys.modules:
            module = types.ModuleType(package)
            module.__path__ = [str(where)]
            sys.modules[package] = module
    spec = importlib.util.spec_from_file_location(name, path / "adapter.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"no adapter.py in {folder}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _versions(packages: list[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = None
    return found


def _contain(policy: dict[str, Any], requests: int, guarded: bool) -> dict[str, Any]:
    """Tie this process to its parent, unless that guards it, and restrict it, before anything of a model is loaded."""
    from safeconvert.workers.containment import enforce, lifeline
    from safeconvert.workers.containment.policy import Policy

    if not guarded:
        lifeline.tie(requests)
    return enforce.contain(Policy.from_json(policy)).to_json()


class Service:
    """Answers requests, the first of which is the policy; holds the opened models."""

    def __init__(self, requests: int, guarded: bool, spans: list[Span]) -> None:
        self.spans = spans
        self._requests = requests
        self._guarded = guarded
        self._models: dict[int, Any] = {}
        self.contained = False

    def answer(self, request: dict[str, Any]) -> Any:
        """The result of one request, JSON-able. Raises whatever the adapter raises."""
        if not self.contained:
            held = _contain(request, self._requests, self._guarded)
            self.contained = True
            return held
        match request["op"]:
            case "import":
                for module in request["modules"]:
                    with timed(self.spans, module):
                        importlib.import_module(module)
                return {"python": sys.version.split()[0]}
            case "load":
                load_adapter(request["adapter"])
                return None
            case "versions":
                return _versions(request["packages"])
            case "call":
                function = getattr(load_adapter(request["adapter"]), request["function"])
                return function(**request["arguments"])
            case "open":
                model = load_adapter(request["adapter"]).load(**request["arguments"])
                handle = len(self._models)
                self._models[handle] = model
                return {"handle": handle, "signature": model.signature().to_json()}
            case "run":
                from safeconvert.adapter_api.feeding import run_chunks

                return run_chunks(self._models[request["handle"]], request["chunks"], request["folder"])
            case "accepts":
                return self._accepts(request)
            case "observe":
                from safeconvert.adapter_api.intermediates import save_intermediates

                return save_intermediates(self._models[request["handle"]], request["chunks"], request["folder"])
            case "impurities":
                return getattr(self._models[request["handle"]], "impurities", list)()
            case "others":
                return getattr(self._models[request["handle"]], "others", list)()
            case "close":
                self._models[request["handle"]] = None
                return None
        raise ValueError(f"unknown operation {request['op']!r}")

    def _accepts(self, request: dict[str, Any]) -> bool:
        """Whether a model runs; that it does not is an answer here, and no failure."""
        from safeconvert.adapter_api.feeding import run_chunks

        try:
            run_chunks(self._models[request["handle"]], request["chunks"], request["folder"])
        except Exception:  # noqa: BLE001 - frameworks refuse inputs with errors of any class
            return False
        return True


def _failure(error: BaseException) -> dict[str, str]:
    """What the parent needs to raise the same error, or to describe a foreign one in a line."""
    traceback.print_exc()
    sys.stderr.flush()
    return {
        "type": type(error).__name__,
        "message": str(error),
        "advice": getattr(error, "advice", ""),
        "traceback": traceback.format_exc(limit=-20)[-20_000:],
    }


def prepare(root: str) -> None:
    """Take this file's folder off the search path, where its neighbours would hide modules of their names, and offer the package."""
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]
    offer_package(root)


def serve(request_end: int, reply_end: int, guarded: bool = False, spans: Sequence[Span] = ()) -> int:
    """Answer requests until their pipe closes; the exit code.

    Args:
        request_end, reply_end: descriptors.
        guarded: the process is ended by who made it when the host is gone.
        spans: what went before in the process that this one was forked from.
    """
    requests, replies = os.fdopen(request_end, "rb"), os.fdopen(reply_end, "wb")
    service = Service(requests.fileno(), guarded, list(spans))
    for line in requests:
        start, cpu = time.monotonic(), time.process_time()
        request = json.loads(line)
        try:
            reply: dict[str, Any] = {"result": service.answer(request)}
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the boundary: it is re-raised on the other side
            reply = {"error": _failure(error)}
        sys.stdout.flush()
        work = ("work", "", 0, start, time.monotonic(), time.process_time() - cpu)
        reply["spans"] = [*service.spans, work]
        service.spans.clear()
        replies.write(json.dumps(reply).encode() + b"\n")
        replies.flush()
        if not service.contained:
            return 1
        from safeconvert.core.memory import give_back

        give_back(_LARGE)
    return 0


def main(argv: list[str]) -> int:
    """Serve until the request pipe closes."""
    prepare(argv[3])
    return serve(int(argv[1]), int(argv[2]))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
