"""The records of faults, trials and scores, and their JSON forms."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from safeconvert.core.faults import (
    Change,
    EvaluationRecord,
    FaultKind,
    FaultRecord,
    RouteOutcome,
    ScoreRecord,
    TrialOutcome,
    TrialRecord,
    finite,
    kind_name,
)

FAULT = FaultRecord(
    FaultKind.WEIGHTS, "conv", "Conv_1", "Conv", Change.DIFFERENT, "input 1: 3 of 9 values differ", 0.25, math.inf, True
)
SCORE = ScoreRecord(0.5, math.inf, 0.25, 1e-3)
WRITTEN = (
    '{"kind": "WB", "source": "conv", "target": "Conv_1", "operator": "Conv", "change": "different", '
    '"evidence": "input 1: 3 of 9 values differ", "isolated": 0.25, "propagated": "inf", "proven": true}'
)


@pytest.mark.parametrize(
    "record",
    [
        FAULT,
        SCORE,
        EvaluationRecord(SCORE, (1, 4)),
        TrialRecord((0, 2), TrialOutcome.INVALID, "does not run", SCORE, None),
        TrialRecord((), TrialOutcome.ACCEPTED, "", SCORE, ScoreRecord(0.0, 0.0)),
    ],
)
def test_a_record_is_read_as_it_was_written(
    record: FaultRecord | ScoreRecord | EvaluationRecord | TrialRecord,
) -> None:
    assert type(record).from_json(json.loads(json.dumps(record.to_json(), allow_nan=False))) == record


def test_json_of_a_fault_and_a_trial() -> None:
    assert json.dumps(FAULT.to_json()) == WRITTEN
    trial = TrialRecord((1,), TrialOutcome.NO_GAIN, "", ScoreRecord(0.5, 0.25), ScoreRecord(1.0, math.nan))
    figures = '{"discrepancy": 0.5, "distance": 0.25, "labels": 0.0, "max_abs": 0.0}'
    worse = '{"discrepancy": 1.0, "distance": "nan", "labels": 0.0, "max_abs": 0.0}'
    assert json.dumps(trial.to_json()) == (
        f'{{"faults": [1], "outcome": "no_gain", "reason": "", "before": {figures}, "after": {worse}}}'
    )


def test_numbers_of_numpy_are_written_as_python_writes_them() -> None:
    assert [finite(np.float32(value)) for value in ("inf", "-inf", "nan")] == ["inf", "-inf", "nan"]
    assert finite(1.5) == 1.5


def test_scores_are_ordered_by_the_share_and_then_by_the_distance() -> None:
    assert ScoreRecord(0.0, 9.0) < ScoreRecord(0.5, 0.0) < ScoreRecord(0.5, 1.0) < ScoreRecord(0.5, math.inf)


def test_every_kind_has_a_name_and_an_unknown_text_has_none() -> None:
    assert [kind.value for kind in FaultKind] == ["PP", "ID", "TSS", "WB", "LH", "CG"]
    assert len({kind.full_name for kind in FaultKind}) == 6
    assert kind_name("LH") == "layer hyperparameters" and kind_name("XX") == kind_name("") == ""


def test_route_outcomes_stand_from_best_to_worst() -> None:
    assert list(RouteOutcome) == ["verified", "not_equivalent", "no_verdict", "crashed", "skipped"]
