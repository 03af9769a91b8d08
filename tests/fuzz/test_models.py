"""Mutants of model files: each is refused with a reason or run, in a worker that is gone afterwards and wrote nothing elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.slow import first_of_every

from .campaign import fuzz, originals_run
from .kinds import MODELS, Kind
from .models import CUTS, judging
from .verdicts import State

pytestmark = pytest.mark.converters
_FEW, _ALL, _PARTS = 25, 1000, 4
"""Mutants that are always judged, all, and the tests that share the rest of a kind."""
_SEED = 1
_FOUND = {"saved_model": (595,)}
"""Mutants of which something came once that must not: a signature that leads to the map of signatures."""


@pytest.mark.parametrize("kind", first_of_every(2, MODELS), ids=lambda kind: kind.name)
def test_the_seeds_are_run_and_a_few_mutants_are_refused_or_run(kind: Kind, made: Path, tmp_path: Path) -> None:
    with judging(tmp_path) as judge:
        for main, verdict in originals_run(kind, made, judge.judge).items():
            assert verdict.state is State.RAN or main == "weights.pth", (main, verdict)
        tally = fuzz(kind, made, judge.judge, (*range(_FEW), *_FOUND.get(kind.name, ())), _SEED)
    assert not tally.faults, "\n".join(map(str, tally.faults))


@pytest.mark.parametrize(
    "kind", first_of_every(5, (kind for kind in MODELS if CUTS.keys() & kind.seeds)), ids=lambda kind: kind.name
)
def test_of_a_few_mutants_a_part_is_refused_or_run(kind: Kind, made: Path, tmp_path: Path) -> None:
    with judging(tmp_path, parts=True) as judge:
        for main, verdict in originals_run(kind, made, judge.judge).items():
            assert verdict.state is State.RAN, (main, verdict)
        tally = fuzz(kind, made, judge.judge, range(_FEW), _SEED)
    assert not tally.faults, "\n".join(map(str, tally.faults))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(_PARTS))
@pytest.mark.parametrize("kind", MODELS, ids=lambda kind: kind.name)
def test_a_thousand_mutants_are_refused_or_run(kind: Kind, part: int, made: Path, tmp_path: Path) -> None:
    with judging(tmp_path) as judge:
        tally = fuzz(kind, made, judge.judge, range(_FEW + part, _ALL, _PARTS), _SEED)
    assert not tally.faults, "\n".join(map(str, tally.faults))
    assert min(tally.states[State.RAN], tally.states[State.REFUSED]) > _ALL // 50 // _PARTS, tally
