"""Work that several threads want done, and one does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Once(Generic[_Value]):
    """Values by key, each made by whoever asks for it first; others wait for it. A failure is its own: the next one tries again."""

    def __init__(self) -> None:
        self._made: dict[Hashable, Future[_Value]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        """The value of a key. Raises what `make` raises."""
        while True:
            with self._lock:
                known = self._made.get(key)
                own = known is None
                if known is None:
                    known = self._made[key] = Future()
            if own:
                return self._make(key, known, make)
            known.exception()  # waits
            if known.exception() is None:
                return known.result()

    def _make(self, key: Hashable, future: Future[_Value], make: Callable[[], _Value]) -> _Value:
        try:
            value = make()
        except BaseException as error:
            with self._lock:
                del self._made[key]
            future.set_exception(error)
            raise
        future.set_result(value)
        return value
