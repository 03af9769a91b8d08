"""Faults that the inputs of a run do not show are searched for, the same way on every run; rounding is none."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import onnx
import pytest

import safeconvert
from safeconvert.certificate.archive import unpack
from safeconvert.errors import NotEquivalent
from safeconvert.graph.mutate import Range
from safeconvert.inputs.offspring import Elite, offspring
from safeconvert.verification.rare_rows import reading
from tests.scenarios.wrong_targets import pairs

pytestmark = pytest.mark.converters


def rare_row(folder: Path, rows: int = 1500) -> None:
    """An embedding of which one row is another in the target."""
    table = pairs.weights(rows, 8, scale=rows**0.5)
    source = pairs.graph(
        [pairs.node("Gather", "table ids", "rows"), pairs.node("ReduceMean", "rows", "y", axes=[1], keepdims=0)],
        {"ids": ("i", ["N", 6])}, ["y"], {"table": table},
    )  # fmt: skip
    changed = table.copy()
    changed[1001] += 1
    onnx.save(source, folder / "source.onnx")
    onnx.save(pairs.said_otherwise(source), folder / "right.onnx")
    onnx.save(pairs.with_constant(source, "table", changed), folder / "wrong.onnx")


def test_a_row_that_no_input_touched_is_found_and_kept_as_evidence(tmp_path: Path) -> None:
    rare_row(tmp_path)
    unseen = safeconvert.verify(tmp_path / "source.onnx", tmp_path / "wrong.onnx", search=0)
    assert "searched" not in unseen.predicate
    found = []
    for number in range(2):
        with pytest.raises(NotEquivalent) as raised:
            safeconvert.verify(
                tmp_path / "source.onnx", tmp_path / "wrong.onnx", certificate=tmp_path / f"{number}.certificate.json"
            )
        found.append(raised.value)
    searched = found[0].certificate["searched"]
    assert searched["counterexamples"] >= 1 and searched["limit"] == "rounds"
    assert "searched inputs" in found[0].message and searched == found[1].certificate["searched"]
    evidence = unpack(next(tmp_path.glob("0.*evidence*")).read_bytes(), "evidence")
    ids = np.load(io.BytesIO(evidence.files["searched/inputs.npz"]))["ids"]
    assert (ids == 1001).any(axis=1).all()
    assert {"searched/source.npz", "searched/target.npz"} <= set(evidence.files)


@pytest.mark.parametrize("index", ["ids", "whole"])
def test_a_row_of_a_large_table_that_is_another_in_the_target_is_read_first(index: str, tmp_path: Path) -> None:
    """Of 50000 rows a sweep reads some hundreds, and none where numbers are cast to the index."""
    table = pairs.weights(50000, 8, scale=50000**0.5)
    front = [] if index == "ids" else [pairs.node("Clip", "x low high", "c"), pairs.node("Cast", "c", "whole", to=7)]
    inputs = {"ids": ("i", ["N", 6])} if index == "ids" else {"x": ("f", ["N", 6])}
    bounds = {} if index == "ids" else {"low": np.float32(0), "high": np.float32(49999)}
    nodes = [
        *front,
        pairs.node("Gather", f"table {index}", "rows"),
        pairs.node("ReduceMean", "rows", "y", axes=[1], keepdims=0),
    ]
    source = pairs.graph(nodes, inputs, ["y"], {"table": table, **bounds})
    changed = table.copy()
    changed[31234] += 1
    onnx.save(source, tmp_path / "source.onnx")
    onnx.save(pairs.said_otherwise(source), tmp_path / "right.onnx")
    onnx.save(pairs.with_constant(source, "table", changed), tmp_path / "wrong.onnx")
    with pytest.raises(NotEquivalent, match="searched inputs"):
        safeconvert.verify(tmp_path / "source.onnx", tmp_path / "wrong.onnx")
    safeconvert.verify(tmp_path / "source.onnx", tmp_path / "right.onnx")


def test_inputs_that_read_rows_keep_to_the_range_of_each_input() -> None:
    like = {"ids": np.zeros((2, 2), np.int64), "kind": np.zeros(3, np.int32), "x": np.zeros(2, np.float32)}
    ranges = {"ids": Range(1.0, -2, 400), "kind": Range(1.0, 0, 2), "x": Range()}
    made = reading([1, 7, 300], like, ranges, 7)
    assert [one["ids"].ravel().tolist() for one in made[:2]] == [[1, 7, 300, 1], [-1, 5, 298, -1]]
    assert [one["kind"].tolist() for one in made[2:4]] == [[1, 1, 1]] * 2
    assert [(one["ids"].any(), one["kind"].any()) for one in made[4:]] == [(True, True)] * 3
    assert all((one["x"] == 0).all() and one["kind"].dtype == np.int32 for one in made)
    assert reading([7], {"x": np.zeros(2, np.float32)}, {"x": Range()}, 10)[0]["x"].tolist() == [7.5, 7.5]


def test_rows_of_two_inputs_are_read_together_in_every_pairing() -> None:
    like = {"a": np.zeros(2, np.int64), "b": np.zeros(2, np.int64)}
    made = reading([3, 9, 12], like, {"a": Range(1.0, 0, 20), "b": Range(1.0, 0, 20)}, 32)
    read = {(int(one["a"][place]), int(one["b"][place])) for one in made for place in range(2)}
    assert {(one, two) for one in (3, 9, 12) for two in (3, 9, 12)} <= read


def test_an_equal_target_is_searched_and_says_so(tmp_path: Path) -> None:
    rare_row(tmp_path)
    made = safeconvert.verify(tmp_path / "source.onnx", tmp_path / "right.onnx")
    searched = made.predicate["searched"]
    assert searched["rounds"] == 8 and searched["counterexamples"] == 0 and searched["nearest"] == 0
    assert f"and {searched['inputs']} searched inputs" in made.reason


def test_rounding_that_a_search_grows_is_no_counterexample(tmp_path: Path) -> None:
    """The target adds and takes off a number, which rounds; on small inputs that is far beyond the tolerance."""
    source = pairs.graph([pairs.node("Mul", "x one", "y")], {"x": ("f", ["N", 6])}, ["y"], {"one": np.float32(1)})
    target = pairs.graph(
        [pairs.node("Add", "x eight", "s"), pairs.node("Sub", "s eight", "y")], {"x": ("f", ["N", 6])}, ["y"], {"eight": np.float32(8)}
    )  # fmt: skip
    onnx.save(source, tmp_path / "source.onnx")
    onnx.save(target, tmp_path / "target.onnx")
    safeconvert.verify(tmp_path / "source.onnx", tmp_path / "target.onnx")


def test_a_round_is_the_same_again_and_goes_through_all_integers() -> None:
    elites = [Elite(0.5, {"ids": np.arange(6) + 3 * place, "x": np.full(4, place, "f4")}) for place in range(3)]
    ranges = {"ids": Range(1.0, 0, 300), "x": Range(2.0)}
    rounds = [offspring(np.random.default_rng(number), number, elites, ranges, 64) for number in range(8)]
    again = offspring(np.random.default_rng(3), 3, elites, ranges, 64)
    assert all(np.array_equal(one[name], two[name]) for one, two in zip(rounds[3], again, strict=True) for name in one)
    assert set(range(300)) == {int(value) for made in rounds for one in made for value in one["ids"]}
    assert all(one["ids"].dtype == np.int64 and one["x"].dtype == np.float32 for one in again)
