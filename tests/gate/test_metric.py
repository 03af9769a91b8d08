"""Certificates whose verdict rests on a metric: the bound is computed again, and the policy has to allow the metric and its fall."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from safeconvert.compare.bounds import clopper_pearson_upper
from safeconvert.compare.drop import pairs_upper
from safeconvert.gate.recompute import NATIVE, contradictions
from tests.gate.test_gate import certify, comparator, figures, judged, kinds, model

ALLOWED = 0.05


def metric(**members: Any) -> dict[str, Any]:
    """Accuracy on 300 inputs, of which the target loses three and wins two."""
    found = {
        "metric": "accuracy", "samples": 300, "source": 0.9, "target": 0.8967, "lost": 3, "won": 2,
        "upper": pairs_upper(3, 2, 300, 0.96), "confidence": 0.96, "allowed": ALLOWED, "mcnemar": 1.0, "whole": True,
    }  # fmt: skip
    return {**found, **members}


def content(**members: Any) -> dict[str, Any]:
    """A certificate in which five labels differ, which a metric allows."""
    pair = figures(
        300, disagreements=5, discrepancy=5 / 300, upper_bound=clopper_pearson_upper(5, 300), beyond_tolerance=300
    )
    pair["outputs"][0]["disagreements"] = 5
    own = metric(**members)
    return {
        "comparator": comparator(name=own["metric"], max_drop=own["allowed"]), "inputs": {"held_out": 300},
        "verification": {NATIVE: pair}, "metric": own,
    }  # fmt: skip


def test_what_is_true_is_not_contradicted() -> None:
    assert contradictions(content()) == []


@pytest.mark.parametrize(
    ("says", "members"),
    [
        ("is not that of 3 lost", {"upper": 0.001}),
        ("is not that of 30 lost", {"lost": 30}),
        ("may fall by", {"allowed": 0.001}),
        ("the bound of the metric holds with 0.5", {"confidence": 0.5}),
        ("no metric of that kind", {"metric": "top1"}),
        ("no metric of that kind", {"whole": False}),
        ("300 were compared", {"samples": 301}),
        ("300 were compared", {"lost": 299, "won": 2}),
        ("300 were compared", {"samples": None}),
    ],
)
def test_a_metric_that_does_not_show_its_verdict_is_contradicted(says: str, members: dict[str, Any]) -> None:
    assert any(says in line for line in contradictions(content(**members))), contradictions(content(**members))


def test_the_comparator_has_to_name_the_metric() -> None:
    found = content()
    found["comparator"] = comparator()
    assert any("the comparator says" in line for line in contradictions(found))


def test_the_policy_has_to_allow_the_metric_and_its_fall(tmp_path: Path) -> None:
    found = content()
    pair = found["verification"].pop(NATIVE)
    target = model(tmp_path / "deploy" / "m.onnx")
    certify(
        target,
        model(tmp_path / "source.onnx", "source"),
        figures=pair,
        metric=found["metric"],
        comparator=found["comparator"],
    )
    strict = judged(tmp_path / "deploy")
    assert kinds(strict) == {"m.onnx": {"policy"}}
    assert {"comparator", "max_drop"} <= {problem.detail.split()[0] for problem in strict.models[0].problems}
    assert judged(tmp_path / "deploy", comparators=("accuracy",), max_drop=ALLOWED).ok
    assert not judged(tmp_path / "deploy", comparators=("accuracy",), max_drop=0.01).ok
