"""The nearest to the source that a budget buys, where nothing within it reaches the aim.

Ranges of least error cost nothing and come first. Then one, two, four, eight … of the most harmful operators get more bits together, in float where that may be, and the fewest are
taken that come about as near as any. What steers is the distance of the outputs from the source's on all steering inputs: of some hundred of these two or
three change their label, which says little about the next hundred, while every one of them has a distance. Several go at once since
one of many moves it by less than rounding elsewhere does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from safeconvert.repair.means import NOTHING, Means, Plan

_ABOUT = 1.05  # times the least distance: rounding elsewhere moves it by a few percent either way
_MEANS = (Means.FLOAT, Means.WEIGHTS, Means.SIXTEEN)
"""Exact weights, or where these are too many bytes those in eight bits; 16-bit activations where the hardware knows integers only."""


def nearest(
    ranked: Sequence[int],
    allowed: Mapping[Means, Sequence[int]],
    far: Callable[[Plan], float],
    reached: Callable[[Plan], bool],
) -> Plan | None:
    """The fewest operators that come nearest; None where nothing comes nearer than nothing done.

    Args:
        ranked: operators, the most harmful first.
        allowed: by means, the operators that it may be used for.
        far: how far a plan is from the source; inf for one that may not be taken. A plan is asked for more than once.
        reached: whether a plan is near enough to end.
    """
    ranges = Plan.of(allowed.get(Means.RANGE, ()), Means.RANGE)
    plan = ranges if ranges.entries and far(ranges) < far(NOTHING) else NOTHING
    means = {one: how for how in reversed(_MEANS) for one in allowed.get(how, ())}
    order, tried, count = [one for one in ranked if one in means], [NOTHING, plan], 1
    while not reached(tried[-1]) and count // 2 < len(order):
        for index in order[count // 2 : count]:
            plan = plan.having(index, means[index])
        tried.append(plan)
        count *= 2
    least = min(far(one) for one in tried)
    chosen = next(one for one in tried if far(one) <= _ABOUT * least)
    return chosen if chosen.entries else None
