"""Calls abort() after a page of chatter on stderr."""

from __future__ import annotations

import os
import sys


def convert(request):
    for number in range(100):
        print(f"F0000 core.cc:{number}] Check failed: it == end()", file=sys.stderr, flush=True)
    os.abort()
