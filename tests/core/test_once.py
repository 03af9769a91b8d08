"""What several threads want is made once; a failure is nobody else's."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from safeconvert.core.once import Once


def test_one_makes_it_and_the_others_wait() -> None:
    once: Once[int] = Once()
    made, go = [], threading.Event()

    def make() -> int:
        go.wait(10)
        made.append(1)
        return 7

    with ThreadPoolExecutor(4) as threads:
        found = [threads.submit(once.get, "key", make) for _ in range(4)]
        go.set()
        assert [one.result() for one in found] == [7] * 4
    assert len(made) == 1 and once.get("other", lambda: 8) == 8


def test_after_a_failure_the_next_one_tries_again() -> None:
    once: Once[int] = Once()
    go = threading.Event()

    def fail() -> int:
        go.wait(10)
        raise ValueError("no")

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(once.get, "key", fail)
        while not once._made:
            threading.Event().wait(0.01)
        second = threads.submit(once.get, "key", lambda: 7)
        go.set()
        with pytest.raises(ValueError, match="no"):
            first.result()
        assert second.result() == 7
