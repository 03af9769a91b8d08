"""Converts and is right."""

from __future__ import annotations

from .._export import export, reply


def convert(request):
    export(request)
    return reply()
