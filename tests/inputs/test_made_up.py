"""Made-up masks, integers and changed samples: of every kind, within their range, the same on every run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.graph.ranges import IntegerRange
from safeconvert.inputs.booleans import KINDS, booleans
from safeconvert.inputs.calls import Calls
from safeconvert.inputs.distinct import distinct_samples
from safeconvert.inputs.generate import generate
from safeconvert.inputs.integers import integers
from safeconvert.inputs.open import open_inputs
from safeconvert.inputs.perturb import PerturbedInputs
from safeconvert.inputs.statistics import looks, seen_ranges
from safeconvert.inputs.store import Chunk, materialise, picked


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_masks_of_every_kind() -> None:
    made = {kind: booleans(random(), (4, 6), place) for place, kind in enumerate(KINDS)}
    assert made["all true"].all() and not made["all false"].any()
    assert (made["causal"] == np.tri(4, 6, dtype=bool)).all()
    assert (~made["row false"]).all(axis=1).sum() == 1 and (~made["column false"]).all(axis=0).sum() == 1
    assert made["single true"].sum() == 1 and (~made["single false"]).sum() == 1
    assert (np.diff(made["prefix"].astype(int), axis=1) <= 0).all() and made["prefix"][:, 0].all()


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 0), (2, 3, 4)])
def test_masks_of_any_shape(shape: tuple[int, ...]) -> None:
    for number in range(2 * len(KINDS)):
        made = booleans(random(number), shape, number)
        assert made.shape == shape and made.dtype == bool


@pytest.mark.parametrize(
    "taken", [IntegerRange(0, 2), IntegerRange(-30, 31), IntegerRange(5, 6), IntegerRange(0, 50_000)]
)
def test_integers_stay_within_their_range(taken: IntegerRange) -> None:
    for number in range(24):
        made = integers(random(number), (3, 4), number, taken)
        assert made.shape == (3, 4) and taken.low <= made.min() and made.max() < taken.high


def test_every_stretch_of_a_table_is_touched() -> None:
    """64 samples of 6 ids leave no sixteenth of a table of 5000 rows out, and no hundredth either."""
    made = generate(Signature((TensorSpec("ids", (None, 6), "int64"),), ()), 64, 0, {}, {"ids": IntegerRange(0, 5000)})
    ids = np.unique(made.chunk(0, 64)["ids"])
    assert len(np.unique(ids // 50)) == 100


def test_values_near_and_far_are_tried() -> None:
    taken = IntegerRange(-9, 50, near=(40, 41), far=(-1000, 1001))
    made = np.concatenate([integers(random(number), (50,), number, taken) for number in range(8)])
    assert {40, 41, -9, 49, 0, -1, 1} <= set(made.tolist()) and made.min() < -500 < 500 < made.max()


def test_copies_are_found_over_all_inputs(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.float32([[1], [1], [2], [1]]), b=np.float32([[3], [3], [3], [4]]))
    signature = Signature(tuple(TensorSpec(name, (None, 1), "float32") for name in "ab"), ())
    inputs = open_inputs(tmp_path / "x.npz", signature, None, None)
    chunks = materialise(inputs, tmp_path, 3, lambda count: None)
    assert distinct_samples(chunks).tolist() == [0, 2, 3]
    kept = picked(chunks, [1, 3], tmp_path)
    assert [(chunk.start, chunk.stop) for chunk in kept] == [(0, 1), (1, 2)]
    assert [float(np.load(chunk.arrays["b"])[0, 0]) for chunk in kept] == [3, 4]


def test_changed_samples_are_other_ones_of_the_same_type(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "x.npz", x=random().normal(size=(5, 2, 6)).astype("f4"), ids=random().integers(0, 9, size=(5, 7))
    )
    signature = Signature((TensorSpec("x", (None, 2, 6), "float32"), TensorSpec("ids", (None, 7), "int64")), ())
    given = open_inputs(tmp_path / "x.npz", signature, None, None)
    like = looks(materialise(given, tmp_path, 8, lambda count: None))
    assert seen_ranges(like)["ids"].low == 0
    made = PerturbedInputs(given, 9, 3, like)
    one, again = made.chunk(0, 9), made.chunk(4, 9)
    assert np.array_equal(one["x"][4:], again["x"]) and one["x"].dtype == np.float32 and one["x"].shape == (9, 2, 6)
    assert all(not (given.chunk(0, 5)["x"] == row).all(axis=(1, 2)).any() for row in one["x"])
    assert one["ids"].dtype == np.int64 and set(np.unique(one["ids"])) <= set(np.unique(given.chunk(0, 5)["ids"]))


def test_rows_that_belong_together_are_a_call(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(14, dtype="f4").reshape(7, 2))
    rows = open_inputs(tmp_path / "x.npy", Signature((TensorSpec("x", (None, 2), "float32"),), ()), None, None)
    calls = Calls(rows, 3)
    assert calls.count == 2 and calls.whole and calls.chunk(1, 2)["x"].tolist() == [[[6, 7], [8, 9], [10, 11]]]


def test_looks_of_chunks_are_those_of_all_values_together(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    parts = [random.normal(3.0 * number, 1.0 + number, size=(number + 1, 7)).astype(np.float32) for number in range(5)]
    chunks = []
    for number, part in enumerate(parts):
        np.save(tmp_path / f"{number}.npy", part)
        chunks.append(Chunk(number, number + 1, {"x": tmp_path / f"{number}.npy"}))
    [look] = looks(chunks).values()
    values = np.concatenate([part.ravel() for part in parts]).astype(np.float64)
    wanted = (values.mean(), values.std(), values.min(), values.max())
    assert np.allclose((look.mean, look.deviation, look.least, look.largest), wanted, rtol=1e-6, atol=0)
    np.save(tmp_path / "same.npy", np.full((3, 2), 7, dtype=np.int64))
    [same] = looks([Chunk(0, 3, {"n": tmp_path / "same.npy"})]).values()
    assert (same.mean, same.deviation, same.least, same.largest) == (7, 1, 7, 7)
