"""`--allow-nonfinite`: given NaN and Inf test how they propagate, counted apart; without it they are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.command import Called, safeconvert
from tests.onnx_models import model, random

pytestmark = pytest.mark.converters


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source, a right target, one that hides NaN (as Max does in some runtimes), one that is wrong in the numbers; inputs."""
    place = tmp_path_factory.mktemp("nonfinite")
    weights = {"w": random(6, 4), "zero": np.float32(0)}
    product = helper.make_node("Mul", ["x", "x"], ["s"], "square")
    hidden = [helper.make_node("IsNaN", ["x"], ["odd"]), helper.make_node("Where", ["odd", "zero", "x"], ["seen"])]
    ends = ["seen", "x"]
    for name, nodes in {
        "source": [product, helper.make_node("Add", ["s", "x"], ["y"], "sum")],
        "right": [product, helper.make_node("Add", ["x", "s"], ["y"], "sum")],
        "hides": [*hidden, helper.make_node("Mul", ["seen", "seen"], ["s"], "square"), helper.make_node("Add", ["s", ends[0]], ["y"], "sum")],
        "wrong": [product, helper.make_node("Sub", ["s", "x"], ["y"], "sum")],
    }.items():  # fmt: skip
        used = {key: value for key, value in weights.items() if any(key in node.input for node in nodes)}
        onnx.save(model(nodes, {"x": ["N", 6]}, ["y"], used), place / f"{name}.onnx")
    x = random(32, 6, seed=4)
    np.save(place / "plain.npy", x)
    for row in range(0, 32, 4):
        x[row, row % 6] = (np.nan, np.inf, -np.inf)[row // 4 % 3]
    np.save(place / "odd.npy", x)
    np.save(place / "all_odd.npy", np.where(np.arange(6) == 2, np.nan, random(32, 6, seed=5)).astype(np.float32))
    return place


def verify(folder: Path, target: str, inputs: str, *more: str) -> Called:
    return safeconvert(
        "verify", folder / "source.onnx", folder / f"{target}.onnx", "--inputs", folder / inputs, *more, "--json"
    )


def test_without_the_flag_such_inputs_are_refused_with_a_way_on(folder: Path) -> None:
    done = verify(folder, "right", "odd.npy")
    assert done.code == 2 and "holds NaN or Inf" in done.text and "--allow-nonfinite" in done.text


def test_what_propagates_alike_is_equal_and_counted_apart(folder: Path) -> None:
    done = verify(folder, "right", "odd.npy", "--allow-nonfinite")
    assert done.code == 0, done.text
    predicate = done.json["predicate"]
    figures = predicate["verification"]["source native vs target native"]
    assert predicate["inputs"]["nonfinite"] == 8
    assert figures["nonfinite"] == 0 and 0 < figures["propagated"] < figures["samples"]
    assert f"the same NaN and Inf at the same places on {figures['propagated']}" in done.json["reason"]
    assert any("NaN" in line for line in predicate["settings"]["loosened"])


def test_a_target_that_hides_nan_is_equal_on_numbers_and_refused_on_nan(folder: Path) -> None:
    assert verify(folder, "hides", "plain.npy").code == 0
    assert verify(folder, "hides", "odd.npy", "--allow-nonfinite").code == 1


def test_a_target_that_is_wrong_in_the_numbers_stays_wrong(folder: Path) -> None:
    assert verify(folder, "wrong", "odd.npy", "--allow-nonfinite").code == 1


def test_where_every_output_holds_nan_there_is_no_verdict(folder: Path) -> None:
    done = verify(
        folder, "right", "all_odd.npy", "--allow-nonfinite", "--comparator", "top1"
    )  # joined by no made-up inputs
    assert done.code == 4 and "NaN or Inf on every held-out input" in done.text
