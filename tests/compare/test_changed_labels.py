"""The share of labels that change, estimated from every input: right on average, nearer than a count, and as sure as it says."""

from __future__ import annotations

import numpy as np
import pytest

from safeconvert.compare.changed_labels import changed_labels, surely_less

Array = np.ndarray
INPUTS, DRAWS = 200, 200


def scored(random: np.random.Generator, count: int) -> Array:
    scores = 1.5 * random.normal(size=(count, 10))
    scores[np.arange(count), random.integers(0, 10, count)] += 3
    return scores


def softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.round(256 * powers / powers.sum(axis=1, keepdims=True)) / 256  # in eight bits, where gaps close to ties


def drawn(
    random: np.random.Generator, moved: tuple[float, ...], probabilities: bool, count: int = INPUTS
) -> list[Array]:
    """Scores, and the same moved by so much noise, most of it common to all."""
    scores, noise = scored(random, count), random.normal(size=(count, 10))
    sides = [scores, *(scores + by * (0.8 * noise + 0.6 * random.normal(size=noise.shape)) for by in moved)]
    return [softmax(side) if probabilities else side for side in sides]


def counted(source: Array, target: Array) -> Array:
    return np.asarray(source.argmax(axis=1) != target.argmax(axis=1), dtype=np.float64)


@pytest.mark.parametrize("probabilities", [False, True])
def test_it_is_the_share_on_average_nearer_than_a_count_and_spreads_as_it_says(probabilities: bool) -> None:
    random = np.random.default_rng(1)
    truth = counted(*drawn(random, (0.05,), probabilities, 200_000)).mean()
    drawings = [drawn(random, (0.05,), probabilities) for _ in range(DRAWS)]
    found = [changed_labels(*pair) for pair in drawings]
    means, counts = (np.array([each.mean() for each in own]) for own in (found, [counted(*pair) for pair in drawings]))
    said = np.mean([each.std(ddof=1) / np.sqrt(INPUTS) for each in found])
    assert abs(means.mean() - truth) < 0.15 * truth
    assert means.std() < 0.8 * counts.std()
    assert means.std() == pytest.approx(said, rel=0.15)


def test_what_moves_the_outputs_as_far_is_seldom_surely_better_and_half_as_far_mostly() -> None:
    random = np.random.default_rng(2)

    def share(ours: float, theirs: float, losses: object) -> float:
        sure = 0
        for _ in range(DRAWS):
            source, left, right = drawn(random, (ours, theirs), True)
            sure += surely_less(losses(source, left), losses(source, right))  # type: ignore[operator]
        return sure / DRAWS

    assert share(0.06, 0.06, changed_labels) < 0.1
    assert share(0.03, 0.06, changed_labels) > 0.75 > 0.5 > share(0.03, 0.06, counted)


def test_nothing_moved_is_nothing_changed_and_surely_no_less() -> None:
    scores = scored(np.random.default_rng(3), 50)
    same = changed_labels(scores, scores)
    assert not same.any() and not surely_less(same, same)
    assert surely_less(same, changed_labels(scores, -scores))


def test_every_label_lost_is_all_of_them() -> None:
    scores = scored(np.random.default_rng(4), 50)
    assert changed_labels(scores, np.full_like(scores, np.nan)).mean() == pytest.approx(1)
    assert changed_labels(scores, -scores).mean() > 0.49


def test_what_closes_one_gap_opens_another_and_a_tie_is_either_label() -> None:
    scores = np.array([[1.0, 0.0]])
    moved = [changed_labels(scores, np.array([[gap, 0.0]])).mean() for gap in (-1.0, 0.0, 0.5, 1.5, 2.0, 3.0)]
    assert moved == [0.5, 0.25, 0.0, 0.0, 0.25, 0.5]


def test_the_order_of_inputs_is_no_matter() -> None:
    random = np.random.default_rng(5)
    source, target = drawn(random, (0.3,), False)
    order = random.permutation(INPUTS)
    assert np.allclose(changed_labels(source, target)[order], changed_labels(source[order], target[order]))


@pytest.mark.parametrize("count", [0, 1])
def test_few_inputs_are_never_sure(count: int) -> None:
    scores = scored(np.random.default_rng(6), count)
    assert len(changed_labels(scores, -scores)) == count
    assert not surely_less(changed_labels(scores, scores), changed_labels(scores, -scores))
