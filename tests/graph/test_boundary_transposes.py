"""Which inputs and outputs of a graph are images with their channels second."""

from __future__ import annotations

import numpy as np
from onnx import helper

from safeconvert.graph.boundary_transposes import channels_second_ends
from tests.onnx_models import model

node = helper.make_node
WEIGHT = {"w": np.zeros((3, 3, 1, 1), np.float32)}


def test_images_are_and_what_only_has_their_rank_is_not() -> None:
    nodes = [node("Mul", ["x", "s"], ["m"]), node("Conv", ["m", "w"], ["c"]), node("GridSample", ["c", "grid"], ["y"])]
    made = model(nodes, {"x": ["N", 3, 8, 8], "grid": ["N", 5, 6, 2]}, ["y"], WEIGHT | {"s": np.float32([2.0])}, 20)
    assert channels_second_ends(made) == {"x", "y"}


def test_what_a_transpose_reads_is_channels_last_already() -> None:
    nodes = [node("Transpose", ["x"], ["t"], perm=[0, 3, 1, 2]), node("Conv", ["t", "w"], ["y"])]
    assert "x" not in channels_second_ends(model(nodes, {"x": ["N", 8, 8, 3]}, ["y"], WEIGHT))
