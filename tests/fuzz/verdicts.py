"""What became of a mutant, and what must never become of one."""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from pathlib import Path

from safeconvert.errors import AdapterFailure, SafeconvertError

_ROOT = Path(__file__).parents[2]
_PRODUCT = (f"{_ROOT}/safeconvert/", f"{_ROOT}/adapters/")
_BEGINNING = "Traceback (most recent call last):"
_FRAME = re.compile(r'^  File "([^"]+)", line (\d+), in (\S+)', re.MULTILINE)


class State(StrEnum):
    """How far a mutant came."""

    REFUSED = "refused"
    """With a message that says why."""
    BROKE = "framework failed"
    """The framework raised or died in its worker; a person is told so."""
    OPENED = "opened"
    """And did not run on inputs made up."""
    RAN = "ran"
    """Opened and run, or read to its end."""
    FAULT = "FAULT"
    """What must not be."""


@dataclass(frozen=True)
class Verdict:
    """What became of one mutant; `detail` is a message."""

    state: State
    detail: str = ""


def of_error(error: Exception) -> Verdict:
    """What an error says of the code that it came through: one of ours is an answer, unless our own code is what broke."""
    if not isinstance(error, SafeconvertError):
        return Verdict(State.FAULT, _place("".join(traceback.format_exception(error))))
    if not error.message.strip() or "Traceback" in error.message:
        return Verdict(State.FAULT, f"a message that says nothing: {error.message!r}")
    failure = error if isinstance(error, AdapterFailure) else error.__cause__
    if isinstance(failure, AdapterFailure):
        ours = _broken(failure.remote_traceback)
        return Verdict(State.FAULT, ours) if ours else Verdict(State.BROKE, error.message)
    return Verdict(State.REFUSED, error.message)


def _broken(trace: str) -> str:
    """Where our own code broke, of a worker's traceback: an inspection did, or the last frame is ours; "" elsewhere."""
    frames = [file for file, _, _ in _frames(trace)]
    ours = [file for file in frames if file.startswith(_PRODUCT)]
    return _place(trace) if any("/untrusted/" in file for file in ours) or frames[-1:] == ours[-1:] != [] else ""


def _place(trace: str) -> str:
    """The error of a traceback, and the last place in the product that it came through."""
    places = [f"{Path(file).relative_to(_ROOT)}:{line} {function}" for file, line, function in _frames(trace) if file.startswith(_PRODUCT)]  # fmt: skip
    error = trace.rpartition(_BEGINNING)[2]
    messages = [line for line in error.splitlines() if line and not line.startswith(" ")]
    return f"{messages[0][:300] if messages else error[:300]} ({places[-1] if places else 'outside the product'})"


def _frames(trace: str) -> list[tuple[str, str, str]]:
    """File, line and function of each frame of the last traceback; an error's own text may hold what looks like more."""
    lines = trace.rpartition(_BEGINNING)[2].splitlines()[1:]
    frames = "\n".join(takewhile(lambda line: line.startswith(" "), lines))
    return _FRAME.findall(frames)
