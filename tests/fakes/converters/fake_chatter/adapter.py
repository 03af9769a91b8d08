"""Prints a megabyte and is right."""

from __future__ import annotations

import sys

from .._export import export, reply


def convert(request):
    print("converter says hello " * 50_000)
    print("converter complains " * 5_000, file=sys.stderr)
    export(request)
    return reply()
