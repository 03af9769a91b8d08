"""How long is searched for inputs that exercise what others leave out; told by a process that reads no graph."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How long is searched.

    Attributes:
        seed: of everything drawn.
        rounds: at most; each is about one item.
        children: samples tried in a round.
        patience: rounds without any progress after which it ends.
        whole: a sample is a whole call.
    """

    seed: int
    rounds: int
    children: int
    patience: int
    whole: bool
