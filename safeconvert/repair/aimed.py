"""A quantised target that loses no more than is aimed at, or comes as near to that as a budget of work and bytes buys.

The bound of `--max-drop` is as loose as the held-out inputs are few, and most of what it allows need not be lost. So what loses more than the aim on
the steering inputs is repaired first, where that takes no more than a share of the work (`[quantize] aimed_share`) and fewer bytes than the float16 file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from safeconvert.core.optimize import Io
from safeconvert.repair.fewest import distance
from safeconvert.repair.judging import Judged
from safeconvert.repair.least import Least, least
from safeconvert.repair.means import NOTHING, Plan
from safeconvert.repair.nearest import nearest
from safeconvert.repair.quantized_search import Search, allowed_means

OF_BYTES = 1 / 3
"""Of what eight bits save: two bytes a weight, which float16 has, are one of the three."""


@dataclass(frozen=True)
class Aimed:
    """What is done for the aim.

    Attributes:
        chosen: the plan.
        before, after: what the steering inputs lose with nothing done and with it, see `Judged.lost`.
        sure: with 95 % confidence it loses less than with nothing done, by these.
        nearer: by what part the distance of the outputs from the source's fell there.
        aim: what they should lose at most.
        work: share of the work, by its estimate, that is not in integers.
    """

    chosen: Least
    before: float
    after: float
    sure: bool
    nearer: float
    aim: float
    work: float


def aimed(made: Search) -> Aimed | None:
    """The least that reaches the aim within the budget, else what comes nearest to the source; None where nothing within it is any nearer.

    Args:
        made: ranked, with a quantizer that knows its means; with nothing done it counts as equal.
    """
    whole, settings = made.judge(NOTHING), made.run.settings
    aim, share, trials = settings.quantize.aimed_fall, settings.quantize.aimed_share, settings.repair.precision_trials
    target = made.quantizer.target
    spare = min(share, OF_BYTES) * max(0, target.candidate.path.stat().st_size - whole.bytes)

    def reached(plan: Plan) -> bool:
        return made.judge(plan).reaches(aim)

    def far(plan: Plan) -> float:
        found = made.judge(plan)
        kept = found.figures.equal and found.lost <= max(whole.lost, aim) and found.bytes <= whole.bytes + spare
        return distance(found.figures) if kept else math.inf

    integers_only = target.io is not Io.FLOAT32  # for hardware that may know nothing else
    allowed = allowed_means(made, integers_only, share, spare)
    every = Plan(tuple(sorted({index: means for means, indices in allowed.items() for index in indices}.items())))
    chosen = least(made.order, allowed, reached, made.cost, trials) if reached(every) else None
    if chosen is None or made.cost(chosen.plan) > whole.bytes + spare:
        plan = nearest(made.order, allowed, far, reached)
        if plan is None:
            return None
        chosen = Least(plan, False)
    work = [one.work for one in made.quantizer.operators]
    floating = sum(work[index] for index, means in chosen.plan.entries if not means.integers)
    share_of_work = floating / max(1, sum(work))
    return reckoned(chosen, whole, made.judge(chosen.plan), aim, share_of_work)


def reckoned(chosen: Least, whole: Judged, found: Judged, aim: float, work: float) -> Aimed:
    """What was done for the aim.

    Args:
        chosen: the plan.
        whole, found: the file with nothing done, and with that.
        aim: what the steering inputs should lose at most.
        work: share of the work that is in float.
    """
    before = distance(whole.figures)
    nearer = 1 - distance(found.figures) / before if 0 < before < math.inf else math.nan
    return Aimed(chosen, whole.lost, found.lost, found.surely_better(whole), nearer, aim, work)
