"""Two values that meet element by element: which canonical axes of one stand for which of the other.

Values in different orders of axes meet in the same way in both graphs, so that what is kept is the relation of their axes and not
the order in which a graph happens to hold them.
"""

from __future__ import annotations

from dataclasses import dataclass

from safeconvert.prove.search.values import Groups, Value


@dataclass(frozen=True)
class Pairing:
    """Two values broadcast to each other.

    Attributes:
        axes: for each canonical axis of the second, the canonical axis of the result that it meets.
        shape: the result's canonical sizes: the first's axes, and behind them those that only the second has.
        groups: the result's.
    """

    axes: tuple[int, ...]
    shape: tuple[int, ...]
    groups: Groups


def pairing(one: Value, two: Value) -> Pairing | None:
    """How two values meet; None where an axis of one is cut otherwise in the other."""
    rank = max(len(one.groups), len(two.groups))
    ours = ((),) * (rank - len(one.groups)) + one.groups
    theirs = ((),) * (rank - len(two.groups)) + two.groups
    shape = list(one.term.shape)
    axes: dict[int, int] = {}
    groups = []
    for left, right in zip(ours, theirs, strict=True):
        if left and right:
            if [one.term.shape[axis] for axis in left] != [two.term.shape[axis] for axis in right]:
                return None
            axes.update(zip(right, left, strict=True))
            groups.append(left)
        elif right:
            fresh = []
            for axis in right:
                axes[axis] = len(shape)
                fresh.append(len(shape))
                shape.append(two.term.shape[axis])
            groups.append(tuple(fresh))
        else:
            groups.append(left)
    return Pairing(tuple(axes[axis] for axis in range(len(two.term.shape))), tuple(shape), tuple(groups))
