"""A target whose weights alone are in fewer bits: what a budget of work and bytes buys for the aim, where it loses more on the steering inputs.

As `aimed` does for targets of integers, with one means: a layer's weights as float32 again.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from safeconvert.compare.settings import VerifySettings
from safeconvert.repair.aimed import OF_BYTES, Aimed, reckoned
from safeconvert.repair.fewest import distance, fewest
from safeconvert.repair.least import Least
from safeconvert.repair.means import Means, Plan
from safeconvert.repair.nearest import nearest
from safeconvert.repair.precision import Ranking, Reduced, ReducedTarget, begun_ranking, ranked, restored
from safeconvert.repair.proposals import TargetProposal
from safeconvert.repair.quantized_search import within
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class RestoredProposal(TargetProposal):
    """A target with some layers restored for the aim.

    Attributes:
        plain: path of the file with none restored.
        restored: the layers.
        aimed: what that is for.
        ranking: of all reduced layers.
    """

    plain: Path | None = None
    restored: tuple[Reduced, ...] = ()
    aimed: Aimed | None = None
    ranking: Ranking | None = None

    @property
    def sure(self) -> bool:
        """With 95 % confidence it loses less than with nothing done, by the steering inputs."""
        return self.aimed is not None and self.aimed.sure


def for_the_aim(run: Run, target: ReducedTarget, settings: VerifySettings) -> RestoredProposal | None:
    """The file with the fewest layers restored that reach the aim, or come about as near to the source as any within the budget.

    None where no metric decides, nothing is lost beyond the aim, the bound itself asks for more, or the budget buys nothing.

    Args:
        run: the surroundings.
        target: the file.
        settings: what counts as equal.

    Raises:
        UnusableInput: the file and its twin do not have the same operators.
        AdapterFailure: a candidate does not run.
    """
    begun = begun_ranking(run, target, settings) if settings.drop is not None else None
    if begun is None:
        return None
    aim, whole = run.settings.quantize.aimed_fall, begun.judge([])
    if not whole.figures.equal or whole.reaches(aim):
        return None
    ranking = ranked(begun)
    chosen = _chosen(ranking, aim)
    if not chosen:
        return None
    made = restored(ranking, chosen)
    layers = tuple(one for one in ranking.layers if one.number in chosen)
    work = sum(one.work for one in layers) / max(1, sum(one.work for one in ranking.layers))
    plan = Least(Plan.of(chosen, Means.FLOAT), False)
    return RestoredProposal(
        made.description, made.made, made.source, made.diagnosis, plain=target.candidate.path, restored=layers,
        aimed=reckoned(plan, whole, ranking.judge(chosen), aim, work), ranking=ranking,
    )  # fmt: skip


def _chosen(ranking: Ranking, aim: float) -> list[int]:
    """The layers; [] where nothing within the budget comes any nearer."""
    settings, layers = ranking.run.settings, ranking.layers
    share, whole = settings.quantize.aimed_share, ranking.judge([])
    works, bytes_ = [one.work for one in layers], [one.saved for one in layers]
    order = ranking.worst_first
    allowed = within(order, works, share * sum(works)) & within(order, bytes_, min(share, OF_BYTES) * sum(bytes_))
    order = [number for number in order if number in allowed]

    def reached(which: list[int]) -> bool:
        return ranking.judge(which).reaches(aim)

    def far(plan: Plan) -> float:
        found = ranking.judge(plan.indices)
        return distance(found.figures) if found.figures.equal and found.lost <= max(whole.lost, aim) else math.inf

    if order and reached(order):
        return fewest(order, reached, settings.repair.precision_trials)
    plan = nearest(order, {Means.FLOAT: order}, far, lambda plan: reached(plan.indices))
    return plan.indices if plan is not None else []
