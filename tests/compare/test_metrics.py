"""Metrics: accuracy, agreement, and one of a user's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from safeconvert.compare.metrics import metric_for, scores
from safeconvert.errors import UnusableInput

SOURCE = {"y": np.array([[1.0, 2.0], [3.0, 0.0], [0.0, 1.0]], np.float32)}
TARGET = {"y": np.array([[2.0, 1.0], [3.0, 0.0], [0.0, 1.0]], np.float32)}
LABELS = np.array([1, 1, 1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own_metrics.py").write_text(
        "import numpy as np\n"
        "def margin(outputs, labels): return np.clip(outputs['y'].max(axis=1) / 4, 0, 1)\n"
        "def total(outputs, labels): return 0.5\n"
        "def wide(outputs, labels): return outputs['y'].max(axis=1) * 10\n"
        "def broken(outputs, labels): return outputs['z']\n"
    )
    return tmp_path


def test_accuracy_is_against_the_labels_and_agreement_against_the_source() -> None:
    ours, theirs = scores("accuracy", SOURCE, TARGET, LABELS)
    assert (ours.tolist(), theirs.tolist()) == ([1, 0, 1], [0, 0, 1])
    ours, theirs = scores("agreement", SOURCE, TARGET, None)
    assert (ours.tolist(), theirs.tolist()) == ([1, 1, 1], [0, 1, 1])


def test_a_label_may_be_the_output_itself() -> None:
    labels = {"label": np.array([[1], [0], [1]], np.int64)}
    assert scores("accuracy", labels, labels, LABELS)[1].tolist() == [1, 0, 1]


def test_what_is_not_finite_scores_nothing() -> None:
    """NaN is at the place of the label, where argmax would find it."""
    broken = {"y": np.array([[0.0, np.nan], [3.0, 0.0], [0.0, np.inf]], np.float32)}
    assert scores("accuracy", SOURCE, broken, LABELS)[1].tolist() == [0, 0, 0]


def test_the_metric_is_chosen_by_what_is_there() -> None:
    assert metric_for("", labelled=True) == "accuracy" and metric_for("", labelled=False) == "agreement"
    with pytest.raises(UnusableInput, match="no input has a label"):
        metric_for("accuracy", labelled=False)
    with pytest.raises(UnusableInput, match="unknown"):
        metric_for("bleu", labelled=True)


def test_one_of_the_user_s_own_scores_each_sample(folder: Path) -> None:
    ours, _ = scores("own_metrics:margin", SOURCE, TARGET, None, str(folder))
    assert ours.tolist() == [0.5, 0.75, 0.25]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("own_metrics:total", "gave float64"),
        ("own_metrics:wide", "scores from 10 to 30"),
        ("own_metrics:broken", "failed: KeyError"),
        ("own_metrics:gone", "--metric own_metrics:gone"),
    ],
)
def test_one_that_is_none_is_named(folder: Path, name: str, says: str) -> None:
    with pytest.raises(UnusableInput, match=says):
        scores(name, SOURCE, TARGET, None, str(folder))


def test_outputs_without_classes_have_no_accuracy() -> None:
    boxes = {"boxes": np.zeros((2, 5, 4), np.float32)}
    with pytest.raises(UnusableInput, match="none of the outputs"):
        scores("agreement", boxes, boxes, None)
