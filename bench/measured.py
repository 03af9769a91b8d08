"""Run a command and print what it took, one JSON object: `python bench/measured.py [--time] COMMAND…`.

{"code", "cpu", "wall", "peak", "sum", "out"}: exit code, processor seconds of all processes, wall seconds, the largest resident memory of
one process in MiB, the largest sum of the proportional memory of all processes in MiB, standard output. Proportional (PSS): a page that
several processes share counts once in the sum, mapped files as far as they are in memory. It is sampled four times a second, so that a
shorter peak may be missed; to read it takes a fifth of a core beside a batch, and with --time it is not (0). Processes that lose their parent become
children of this one (PR_SET_CHILD_SUBREAPER, Linux), and are waited for, so that none is left out of the sum.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

_PR_SET_CHILD_SUBREAPER = 36


class Sampler(threading.Thread):
    """Watches the proportional memory of all descendants of this process; `most` is the largest sum in KiB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = 0
        self._ended = threading.Event()

    def run(self) -> None:
        """Sample until it is stopped."""
        own = psutil.Process()
        while not self._ended.wait(0.25):
            self.most = max(self.most, sum(_proportional(child.pid) for child in own.children(recursive=True)))

    def stop(self) -> None:
        """End."""
        self._ended.set()
        self.join()


def _proportional(pid: int) -> int:
    """PSS of a process in KiB; 0 of one that has ended."""
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def main(command: list[str]) -> None:
    """Run it, and wait for all that it leaves behind."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no subreaper")
    began = time.perf_counter()
    timed = command[:1] == ["--time"]
    sampler = Sampler()
    if not timed:
        sampler.start()
    done = subprocess.run(command[timed:], capture_output=True, text=True, check=False)
    wall = time.perf_counter() - began
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    if not timed:
        sampler.stop()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "code": done.returncode,
        "cpu": used.ru_utime + used.ru_stime,
        "wall": wall,
        "peak": used.ru_maxrss // 1024,
        "sum": sampler.most // 1024,
        "out": done.stdout,
    }
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
