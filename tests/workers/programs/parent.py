"""Start a worker, say its process, and keep it busy: `parent.py FOLDER ADAPTER FUNCTION`."""

import sys
from pathlib import Path

from safeconvert.core.containment import Mode
from safeconvert.workers.grants import policy_for
from safeconvert.workers.requests import CallFunction, LoadAdapter
from safeconvert.workers.worker import Limits, Worker

folder, hostile, function = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
mode = Mode.OFF if function == "sleep_with_child" else Mode.REQUIRE
worker = Worker(
    Path(sys.executable),
    folder / "log",
    Limits(300, 4 << 30),
    folder,
    policy_for(mode, [Path(hostile).parent], [folder], 4 << 30),
)
worker.call("hostile", "starting", LoadAdapter(Path(hostile)))
print(worker._process.pid, flush=True)
arguments = {"path": str(folder / "child")} if function == "sleep_with_child" else {}
if function:
    worker.call("hostile", function, CallFunction(Path(hostile), function, arguments))
sys.stdin.read()
