"""The least that has to be done about a quantised target's operators for it to count as equal.

Each means is tried on all operators that it may be used for, the cheapest means first. The first that is enough is bisected on the ranking down to
the fewest operators; each of these then gets the cheapest means that is still enough and costs no more bytes in the file that is written,
and what turns out superfluous is dropped. Of the answer nothing can be left out: that each operator without its means is not enough has been tried,
and stands in the record.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from safeconvert.repair.fewest import fewest
from safeconvert.repair.means import Means, Plan


@dataclass(frozen=True)
class Least:
    """An answer.

    Attributes:
        plan: what is done.
        minimal: nothing of it can be left out, each alone tried; False where there were too few trials for that.
    """

    plan: Plan
    minimal: bool


def least(
    ranked: Sequence[int],
    allowed: Mapping[Means, Sequence[int]],
    enough: Callable[[Plan], bool],
    cost: Callable[[Plan], int],
    most_trials: int,
) -> Least | None:
    """The least that is enough; None where nothing is.

    Args:
        ranked: operators, the most harmful first.
        allowed: by means, cheapest first, the operators that it may be used for.
        enough: whether a plan is; a plan is asked for more than once.
        cost: of a plan that was asked for, in bytes.
        most_trials: of leaving something out; of cheaper means three times as many.
    """
    for means, usable in allowed.items():
        order = [index for index in ranked if index in set(usable)]
        if not order or not enough(Plan.of(order, means)):
            continue
        chosen = fewest(order, lambda keep, means=means: enough(Plan.of(keep, means)), most_trials)  # type: ignore[misc]
        return _thinned(
            _cheaper(
                Plan.of(chosen, means),
                ranked,
                allowed,
                lambda plan, than: enough(plan) and cost(plan) <= cost(than),
                3 * most_trials,
            ),
            enough,
            most_trials,
        )
    return None


def _cheaper(
    plan: Plan,
    ranked: Sequence[int],
    allowed: Mapping[Means, Sequence[int]],
    better: Callable[[Plan, Plan], bool],
    trials: int,
) -> Plan:
    """Each operator with the cheapest means that is still enough, the least harmful first, until nothing is cheaper.

    Args:
        better: whether a plan is enough, and costs no more than another.
    """
    before: Plan | None = None
    while before != plan:
        before = plan
        for index in [one for one in reversed(ranked) if one in plan.indices]:
            order, own = list(allowed), dict(plan.entries)[index]
            for means in [one for one in order[: order.index(own)] if index in allowed[one]]:
                trials -= 1
                if trials >= 0 and better(plan.having(index, means), plan):
                    plan = plan.having(index, means)
                    break
    return plan


def _thinned(plan: Plan, enough: Callable[[Plan], bool], trials: int) -> Least:
    """Without what can be left out, until nothing can."""
    left = True
    while left:
        left = False
        for index in plan.indices:
            if len(plan.entries) == 1:  # nothing done at all is where the search began
                break
            if trials <= 0:
                return Least(plan, False)
            trials -= 1
            if enough(plan.without(index)):
                plan, left = plan.without(index), True
    return Least(plan, True)
