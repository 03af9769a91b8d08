"""Dies of a segmentation fault."""

from __future__ import annotations

import ctypes


def convert(request):
    ctypes.string_at(0)
