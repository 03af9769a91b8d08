"""Run a command and print what it took, one JSON object: `python bench/measured.py COMMAND…`.

{"code", "cpu", "wall", "peak", "out"}: exit code, processor seconds of all processes, wall seconds, the largest resident memory of one
process in MiB, standard output. Processes that lose their parent become
children of this one (PR_SET_CHILD_SUBREAPER, Linux), and are waited for, so that none is left out of the sum.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time

_PR_SET_CHILD_SUBREAPER = 36


def main(command: list[str]) -> None:
    """Run it, and wait for all that it leaves behind."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no subreaper")
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - began
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = {
        "code": done.returncode,
        "cpu": used.ru_utime + used.ru_stime,
        "wall": wall,
        "peak": used.ru_maxrss // 1024,
        "out": done.stdout,
    }
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
