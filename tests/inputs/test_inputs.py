"""Pictures, arrays and generated samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput
from safeconvert.inputs.generate import generate
from safeconvert.inputs.open import open_inputs
from safeconvert.inputs.preprocessing import Preprocessing
from safeconvert.inputs.split import split
from safeconvert.inputs.store import materialise


def signature(*inputs: TensorSpec) -> Signature:
    return Signature(inputs, (TensorSpec("y", (None, 2), "float32"),))


NCHW = signature(TensorSpec("x", (None, 3, 8, 8), "float32", "NCHW"))
NHWC = signature(TensorSpec("x", (None, 8, 8, 3), "float32", "NHWC"))


@given(st.integers(1, 300), st.floats(0, 1), st.integers(0, 5))
def test_a_split_is_disjoint_complete_repeatable_and_holds_something_out(count: int, share: float, seed: int) -> None:
    parts = split(count, share, seed)
    assert sorted(parts.steer + parts.held_out) == list(range(count))
    assert parts.held_out and parts == split(count, share, seed)


def test_another_seed_is_another_split() -> None:
    assert split(100, 0.5, 0) != split(100, 0.5, 1)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 40), st.integers(1, 7), st.integers(0, 3))
def test_generated_samples_depend_on_seed_and_number_alone(count: int, size: int, seed: int) -> None:
    whole = generate(NCHW, count, seed, {}).chunk(0, count)["x"]
    pieces = [generate(NCHW, count + 3, seed, {}).chunk(n, min(n + size, count))["x"] for n in range(0, count, size)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert np.isfinite(whole).all() and not any(np.all(sample == 1) for sample in whole)


def test_several_kinds_are_generated() -> None:
    made = generate(NCHW, 21, 0, {})
    values = made.chunk(0, 21)["x"]
    assert len(made.kinds) >= 6
    assert (values.reshape(21, -1).max(axis=1) < 0).any(), "negatives"
    assert np.abs(values).max() > 10, "large magnitudes"
    assert any(len(np.unique(sample)) == 1 for sample in values), "constants"
    assert any(1 < len(np.unique(sample)) <= 3 for sample in values), "ties"
    assert made.digest() == generate(NCHW, 21, 0, {}).digest() != generate(NCHW, 21, 1, {}).digest()


def test_tokens_stay_in_their_range() -> None:
    tokens = signature(TensorSpec("ids", (None, 16), "int64"))
    values = generate(tokens, 30, 0, {"ids": (5, 9)}).chunk(0, 30)["ids"]
    assert values.dtype == np.int64 and values.min() >= 5 and values.max() < 9 and len(np.unique(values)) == 4


def test_an_array_is_fed_as_it_is(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(5, 3, 8, 8)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    opened = open_inputs(tmp_path / "x.npy", NCHW, None, None)
    assert opened.count == 5
    np.testing.assert_array_equal(opened.chunk(1, 4)["x"], x[1:4])
    assert open_inputs(tmp_path / "x.npy", NCHW, None, 2).count == 2


def test_named_arrays_go_to_their_inputs_and_unnamed_ones_in_order(tmp_path: Path) -> None:
    two = signature(TensorSpec("a", (None, 2), "float32"), TensorSpec("b", (None, 3), "float32"))
    a, b = np.zeros((4, 2), np.float32), np.ones((4, 3), np.float32)
    for names in ({"b": b, "a": a}, {"first": a, "second": b}):
        np.savez(tmp_path / "x.npz", **names)
        chunk = open_inputs(tmp_path / "x.npz", two, None, None).chunk(0, 4)
        np.testing.assert_array_equal(chunk["a"], a)
        np.testing.assert_array_equal(chunk["b"], b)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"a": np.zeros((4, 2), np.float32)}, "b"),
        ({"a": np.zeros((4, 2), np.float32), "b": np.zeros((3, 3), np.float32)}, "samples"),
        ({"a": np.zeros((4, 2), np.float32), "b": np.zeros((4, 9), np.float32)}, "b"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays: dict[str, np.ndarray], says: str, tmp_path: Path) -> None:
    two = signature(TensorSpec("a", (None, 2), "float32"), TensorSpec("b", (None, 3), "float32"))
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(UnusableInput) as raised:
        open_inputs(tmp_path / "x.npz", two, None, None).chunk(0, 3)
    assert "x.npz" in raised.value.message and says in raised.value.message + raised.value.advice


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(5):
        pixels = np.full((10, 12, 3), [10 * number, 100, 200], np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    (folder / "labels.csv").write_text("file,label\n0.png,7\n3.png,2\n")
    return folder


def test_pictures_are_decoded_lazily_in_order_with_their_labels(pictures: Path) -> None:
    recipe = Preprocessing("p", "here", scale=1.0, mean=(0, 100, 200), std=(1, 1, 1))
    opened = open_inputs(pictures, NHWC, recipe, None)
    assert opened.count == 5 and opened.labels == (7, None, None, 2, None)
    chunk = opened.chunk(2, 4)["x"]
    assert chunk.shape == (2, 8, 8, 3)
    np.testing.assert_allclose(chunk[0, 0, 0], [20, 0, 0])
    first = open_inputs(pictures, NCHW, recipe, None).chunk(2, 4)["x"]
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), chunk)
    (pictures / "4.png").write_bytes(b"none")
    assert opened.chunk(0, 4)["x"].shape == (4, 8, 8, 3)
    with pytest.raises(UnusableInput, match=r"4\.png"):
        opened.chunk(4, 5)


def test_the_digest_sees_every_picture(pictures: Path) -> None:
    before = open_inputs(pictures, NHWC, None, None).digest()
    Image.fromarray(np.zeros((10, 12, 3), np.uint8)).save(pictures / "1.png")
    assert open_inputs(pictures, NHWC, None, None).digest() != before


def test_chunks_on_disk_hold_every_sample_once(tmp_path: Path) -> None:
    made = generate(NCHW, 11, 0, {})
    seen: list[int] = []
    chunks = materialise(made, tmp_path, 4, seen.append)
    assert [(chunk.start, chunk.stop) for chunk in chunks] == [(0, 4), (4, 8), (8, 11)] and sum(seen) == 11
    whole = np.concatenate([np.load(chunk.arrays["x"]) for chunk in chunks])
    np.testing.assert_array_equal(whole, made.chunk(0, 11)["x"])
