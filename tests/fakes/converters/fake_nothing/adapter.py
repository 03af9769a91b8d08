"""Writes nothing and says success."""

from __future__ import annotations

from .._export import reply


def convert(request):
    return reply()
