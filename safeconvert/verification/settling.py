"""Which inputs count, before and after it was looked at on which of them the source is rounding alone.

To look costs another run of the source on everything that was made up (`stability`). Where no model differs on any input there is
nothing that rounding could explain, and all inputs count. Where one differs, it is looked at once, and what is rounding alone is left
out for everything that is judged afterwards.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from safeconvert.verification.batching import Regrouped
from safeconvert.verification.types import Counted


@dataclass(frozen=True)
class Parts:
    """Inputs that count, by their numbers.

    Attributes:
        steering: those that may steer decisions.
        counted: those that give the verdict.
        regroup: a few of them in calls of other sizes; None where there is no batch.
    """

    steering: np.ndarray
    counted: Counted
    regroup: Regrouped | None

    @property
    def numbers(self) -> frozenset[int]:
        """All of them."""
        return frozenset(map(int, np.concatenate([self.steering, self.counted.held_out, self.counted.joined])))


class Settling:
    """The parts of a source's inputs. Safe to use from several threads."""

    def __init__(self, first: Parts, look: Callable[[], Parts]) -> None:
        """With the parts as they are at first, and what leaves out the inputs on which the source is rounding alone."""
        self.first = first
        self._look = look
        self._settled: Parts | None = None
        self._lock = threading.Lock()

    @property
    def current(self) -> Parts:
        """The settled parts where somebody asked for them, else the first."""
        return self._settled or self.first

    def settle(self) -> Parts:
        """The parts without inputs on which the source is rounding alone.

        Raises:
            NoVerdict: too few inputs are left.
        """
        with self._lock:
            if self._settled is None:
                self._settled = self._look()
            return self._settled

    def leaves_out(self) -> bool:
        """Whether to settle it leaves anything out. Raises as `settle`."""
        return self.settle().numbers != self.first.numbers
