"""What a worker tells of when it did something, read with care: the worker may run a model's code."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

from safeconvert.core.text import first_line
from safeconvert.core.trace import Category, Span

_MOST = 100
_NAME = 200
_TEMPLATE = "template"


def told_spans(reply: object, within: tuple[float, float], doing: str) -> Iterator[Span]:
    """The spans of a reply; what is none is left out.

    Args:
        reply: holds under "spans" a list of [category, name, pid, start, end, cpu seconds]. A pid of 0 is the worker's own.
        within: when the request was sent and the reply was there; the worker's own work lies between.
        doing: what was asked for, in words; the name of the worker's work.
    """
    told = reply.get("spans") if isinstance(reply, dict) else None
    for item in told[:_MOST] if isinstance(told, list) else ():
        match item:
            case [str(kind), str(name), int(pid), float(start), float(end), float(cpu)]:
                if (
                    kind not in (Category.WORK, Category.IMPORT)
                    or pid == os.getpid()
                    or not all(map(math.isfinite, (start, end, cpu)))
                ):
                    continue
                if not pid:
                    start, end = (min(max(time, within[0]), within[1]) for time in (start, end))
                if 0 <= start <= end <= within[1] and cpu >= 0:
                    title = doing if kind == Category.WORK else first_line(name, _NAME)
                    yield Span(title, Category(kind), f"{_TEMPLATE} {pid}" if pid else "", pid, pid, start, end, cpu)
