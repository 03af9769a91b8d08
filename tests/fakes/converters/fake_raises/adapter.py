"""Raises an exception with a page of text."""

from __future__ import annotations


def convert(request):
    raise ValueError("node Conv_3: unsupported padding\n" + "  at frame\n" * 500)
