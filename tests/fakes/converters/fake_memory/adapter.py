"""Takes memory without end."""

from __future__ import annotations

import time


def convert(request):
    taken = []
    while True:
        taken.append(b"\1" * (64 << 20))
        time.sleep(0.01)
