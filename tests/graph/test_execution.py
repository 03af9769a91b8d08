"""Parts of a graph run feed after feed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from onnx import helper

from safeconvert.graph.execution import each_part, remade, run_part
from safeconvert.graph.view import GraphView, tidy
from tests.onnx_models import model

ROWS = np.arange(12, dtype="f4").reshape(3, 4)


def _picked() -> GraphView:
    """A row of a table, doubled: an index past its end fails as it runs."""
    nodes = [
        helper.make_node("Add", ["x", "x"], ["a"], "a"),
        helper.make_node("Cast", ["a"], ["i"], "i", to=7),
        helper.make_node("Gather", ["rows", "i"], ["b"], "b"),
        helper.make_node("Neg", ["b"], ["y"], "y"),
    ]
    return tidy(model(nodes, {"x": [1]}, ["y"], {"rows": ROWS}))


def _feed(index: float) -> dict[str, np.ndarray]:
    return {"x": np.array([index], "f4")}


def test_where_a_node_fails_on_one_feed_the_others_have_all() -> None:
    first, second, third = each_part(_picked(), [_feed(1), _feed(7), _feed(0)], ["a", "y"])
    assert first.keys() == third.keys() == {"a", "y"} and second.keys() == {"a"}
    np.testing.assert_array_equal(first["y"], -ROWS[2:3])
    np.testing.assert_array_equal(third["y"], -ROWS[:1])


def test_it_gives_what_all_at_once_give() -> None:
    feeds = [_feed(0), _feed(1)]
    for one, two in zip(each_part(_picked(), feeds, ["b", "y"]), run_part(_picked(), feeds), strict=True):
        assert all(np.array_equal(one[name], two[name]) for name in ("b", "y"))
    assert list(each_part(_picked(), feeds, ["x"])) == [{}, {}]


def test_what_is_made_anew_is_made_of_one_feed_at_a_time() -> None:
    asked: list[int] = []

    def feeds() -> Iterator[dict[str, np.ndarray]]:
        for number in range(3):
            asked.append(number)
            yield {**_feed(0), "b": np.full((1, 4), number, "f4")}

    for number, row in enumerate(remade(_picked(), feeds(), ["b", "y", "none"])):
        assert asked == list(range(number + 1))
        np.testing.assert_array_equal(row["b"], ROWS[:1])  # of the table, and not as it was fed
        np.testing.assert_array_equal(row["y"], np.full((1, 4), -number))
        assert row.keys() == {"b", "y"}
