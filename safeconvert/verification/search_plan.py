"""How much an equal target is searched for inputs on which it differs, or why it is not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safeconvert.compare.settings import VerifySettings
from safeconvert.verification.coverage import fewer
from safeconvert.verification.extra_inputs import comparable_on_made_up
from safeconvert.verification.pair import Pair
from safeconvert.workers.run import Run
from safeconvert.workers.session import load_files

_HEAVY = 16 << 20  # bytes of a model past which fewer inputs are tried
_OF_LARGE = (3, 4)  # rounds, and inputs in each
_CALLS = 16  # inputs of a round at most where each of them is a call of its own


@dataclass(frozen=True)
class SearchPlan:
    """How much is searched.

    Attributes:
        rounds: at most; with seconds, no matter.
        batch: inputs of a round.
        seconds: after which no round begins; None: rounds are counted.
        whole: each input is a whole call.
        heavy: the model or its inputs are large, so that few are tried.
    """

    rounds: int
    batch: int
    seconds: float | None
    whole: bool
    heavy: bool = False


@dataclass(frozen=True)
class NotSearched:
    """Nothing is searched: why, for a reader of the verdict; "" where the user said so."""

    why: str = ""


def plan_search(run: Run, pair: Pair, settings: VerifySettings) -> SearchPlan | NotSearched:
    """How the inputs of a pair are searched.

    Args:
        run: the surroundings.
        pair: the models.
        settings: what counts as equal.
    """
    source, requested = pair.source, run.settings.inputs
    if not requested.joined or requested.search == 0 or (requested.search is None and not requested.search_rounds):
        return NotSearched()
    if not comparable_on_made_up(settings):
        return NotSearched("what counts as equal is for real inputs only")
    if source.fed_otherwise:
        return NotSearched("the target takes other inputs than the source")
    if not len(source.counted):
        return NotSearched("there is no input to begin with")
    first, whole = source.data.chunks[0], source.data.inputs.whole
    heavy = any(_size(path) > _HEAVY for path in (source.file.path, source.exported.path))
    if heavy or fewer(load_files(first.arrays), 1 if whole else first.stop - first.start):
        rounds, batch = min(requested.search_rounds, _OF_LARGE[0]), _OF_LARGE[1]
        return SearchPlan(rounds, batch, requested.search, whole, heavy=True)
    batch = min(requested.search_batch, _CALLS) if whole else requested.search_batch
    return SearchPlan(requested.search_rounds, batch, requested.search, whole)


def _size(path: Path | None) -> int:
    if path is None or not path.exists():
        return 0
    return (
        path.stat().st_size if path.is_file() else sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
    )
