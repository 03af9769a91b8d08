"""Fork a worker from a template, print the numbers of both, and stay: `host.py ADAPTER FOLDER`."""

import sys
from pathlib import Path

from safeconvert.workers.requests import CallFunction
from safeconvert.workers.templates import Templates
from safeconvert.workers.worker import Limits, Worker

adapter, folder = sys.argv[1], Path(sys.argv[2])
with Templates() as templates:
    worker = Worker(Path(sys.executable), folder / "log", Limits(120, 4 << 30), folder, templates=templates)
    request = CallFunction(Path(adapter), "look", {"names": []}, ("onnx",))
    state = worker.call("state", "look", request)
    print(state["pid"], state["parent"], flush=True)
    sys.stdin.read()
