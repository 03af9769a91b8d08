"""What an output was before a softmax, a sigmoid or an argmax, found through what only carries it on."""

from __future__ import annotations

import numpy as np

from safeconvert.graph.saturation import before_saturation, exposed
from tests.onnx_models import run
from tests.scenarios.wrong_targets.pairs import graph, node


def test_logits_are_found_and_given_out() -> None:
    made = graph(
        [node("MatMul", "x w", "l"), node("Softmax", "l", "s", axis=1), node("Identity", "s", "y"), node("ArgMax", "l", "best", axis=1),
         node("Relu", "l", "plain")],
        {"x": ("f", ["N", 2])}, ["y", "best", "plain"], {"w": np.eye(2, dtype="f4")},
    )  # fmt: skip
    found = before_saturation(made)
    assert found == {0: ("Softmax", "l"), 1: ("ArgMax", "l")}
    fed = np.array([[3.0, 4.0]], dtype="f4")
    assert np.array_equal(run(exposed(made, {0: "l"}), {"x": fed})[0], fed)
