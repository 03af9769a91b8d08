"""Mutants of settings, certificates, evidence and inputs: each is read or refused with a reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.slow import first_of_every

from .campaign import fuzz, loaded, originals_run
from .documents import DocumentJudge
from .kinds import DOCUMENTS, Kind
from .verdicts import State

pytestmark = pytest.mark.converters
_FEW, _ALL = 60, 1000
_SEED = 1


@pytest.mark.parametrize("kind", first_of_every(2, DOCUMENTS), ids=lambda kind: kind.name)
def test_the_seeds_are_read_and_a_few_mutants_are_refused_or_read(kind: Kind, made: Path, tmp_path: Path) -> None:
    judge = DocumentJudge(tmp_path, loaded(kind, made))
    for main, verdict in originals_run(kind, made, judge).items():
        assert verdict.state is State.RAN or "may not" in verdict.detail, (main, verdict)
    tally = fuzz(kind, made, judge, range(_FEW), _SEED)
    assert not tally.faults, "\n".join(map(str, tally.faults))


@pytest.mark.slow
@pytest.mark.parametrize("kind", DOCUMENTS, ids=lambda kind: kind.name)
def test_a_thousand_mutants_are_refused_or_read(kind: Kind, made: Path, tmp_path: Path) -> None:
    tally = fuzz(kind, made, DocumentJudge(tmp_path, loaded(kind, made)), range(_FEW, _ALL), _SEED)
    assert not tally.faults, "\n".join(map(str, tally.faults))
    assert min(tally.states[State.RAN], tally.states[State.REFUSED]) > _ALL // 50, tally
