"""Ctrl-C, SIGTERM and SIGHUP end the program at once, with a line and without a traceback. Standard library only.

Whatever the program does when the signal comes, it gets a moment to put away its own (workers, scratch, what was moved aside); then
the process ends, whether it is done or not: workers end with it, and scratch that stays is swept by the next run.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import NoReturn

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
_GRACE_SECONDS = 1.2


class Interrupted(BaseException):
    """The program was told to end; not a KeyboardInterrupt, which libraries turn into errors of their own."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def install() -> None:
    """Handle the signals from now on; those that are ignored (`nohup`, a shell's background job) stay so."""
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


def leave(number: int) -> NoReturn:
    """End the process with the signal's exit code, whatever its threads do."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            continue
    os._exit(128 + number)


def _end(number: int, frame: FrameType | None) -> None:
    for name in _SIGNALS:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_out_of_time, args=(number,), daemon=True).start()
    with suppress(OSError):  # nobody may read it any more
        os.write(2, ("\n" if os.isatty(2) else "").encode() + f"{_word(number)}\n".encode())
    raise Interrupted(number)


def _word(number: int) -> str:
    return "interrupted" if number == signal.SIGINT else f"ended by {signal.Signals(number).name}"


def _out_of_time(number: int) -> None:
    time.sleep(_GRACE_SECONDS)
    os._exit(128 + number)
