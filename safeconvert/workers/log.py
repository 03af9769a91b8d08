"""What a worker prints, kept in a file of bounded size: its beginning and its end."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path

_LARGEST = 4 << 20
_BEGINNING = 1 << 20
_LEFT_OUT = b"\n[what stood here is left out: the log is kept to 4 MiB]\n"


class BoundedLog:
    """Appends what comes through a pipe to a file, in a thread of its own, until the last writer is gone.

    Past 4 MiB, what follows the first MiB gives way to what comes now.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread: threading.Thread | None = None

    def open(self) -> int:
        """The writing end of a new pipe, to be passed on and closed."""
        reading, writing = os.pipe()
        self._thread = threading.Thread(target=self._drain, args=(reading,), name=f"log {self._path.name}", daemon=True)
        self._thread.start()
        return writing

    def settle(self, seconds: float = 2.0) -> None:
        """Wait until all that was printed is in the file; at most so long, for a writer that is still there."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _drain(self, reading: int) -> None:
        # a disk that is full is found where results are written; what is printed meanwhile is dropped
        with contextlib.suppress(OSError), self._path.open("ab", buffering=0) as file:
            while data := os.read(reading, 1 << 16):
                if file.tell() + len(data) > _LARGEST:
                    file.truncate(_BEGINNING)
                    file.write(_LEFT_OUT)
                file.write(data)
        with contextlib.suppress(OSError):
            while os.read(reading, 1 << 16):
                pass
        os.close(reading)
