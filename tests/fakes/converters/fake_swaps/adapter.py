"""Converts rightly, and writes over its target as long as it lives, by name and through an open file."""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path

from .._export import export, reply


def convert(request):
    step = export(request)
    target = Path(step.target)
    wrong = target.read_bytes()[::-1]
    threading.Thread(target=_write_over, args=(target, wrong, target.open("r+b")), daemon=True).start()
    return reply()


def _write_over(target, wrong, file):
    time.sleep(0.5)  # until the answer is out
    while True:
        file.seek(0)
        file.write(wrong)
        file.flush()
        with contextlib.suppress(OSError):
            target.write_bytes(wrong)
        time.sleep(0.02)
