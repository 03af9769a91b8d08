"""Writes half a file and says success."""

from __future__ import annotations

from pathlib import Path

from .._export import export, reply


def convert(request):
    target = Path(export(request).target)
    target.write_bytes(target.read_bytes()[: target.stat().st_size // 2])
    return reply()
