"""A source that rounds beyond the tolerance on made-up inputs does not refute a target that is proven to be the same function; all else does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.command import Called, safeconvert
from tests.onnx_models import model

pytestmark = pytest.mark.converters

_WIDTH = 64


def means(factor: float, shift: float) -> onnx.ModelProto:
    """The mean of a row, times a factor, rounded where a shift is added and taken off again, beside differences of neighbours.

    On rows of one number the differences are 0, so that the rounding is large beside what is left; of other rows it is nothing. What each number of a row is moved by
    cancels in the mean.
    """
    differences = np.zeros((_WIDTH, 4), np.float32)
    for column in range(4):
        differences[2 * column, column], differences[2 * column + 1, column] = 64.0, -64.0
    constants = {"d": differences, "shift": np.float32([shift]), "factor": np.float32([factor])}
    rounded = [
        helper.make_node("Add", ["scaled", "shift"], ["raised"]),
        helper.make_node("Sub", ["raised", "shift"], ["kept"]),
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "d"], ["beside"]),
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["mean", "factor"], ["scaled"]),
        *(rounded if shift else [helper.make_node("Identity", ["scaled"], ["kept"])]),
        helper.make_node("Concat", ["kept", "beside"], ["y"], axis=1),
    ]
    return model(nodes, {"x": ["N", _WIDTH]}, ["y"], constants)


def verified(folder: Path, target: onnx.ModelProto, alike: bool = False) -> Called:
    """The source rounds at 2048, to multiples of a 4096th; given inputs are rows of one number each where they are `alike`."""
    onnx.save(means(1.0, 2.0**11), folder / "source.onnx")
    onnx.save(target, folder / "target.onnx")
    inputs = np.random.default_rng(0).uniform(-1, 1, size=(20, _WIDTH)).astype(np.float32)
    np.save(folder / "x.npy", np.repeat(inputs[:, :1], _WIDTH, axis=1) if alike else inputs)
    (folder / "c.toml").write_text("")
    return safeconvert(
        "verify", folder / "source.onnx", folder / "target.onnx", "--inputs", folder / "x.npy", "--json", "--comparator", "allclose",
        "--config", folder / "c.toml", XDG_STATE_HOME=str(folder / "state"),
    )  # fmt: skip


def test_made_up_inputs_are_settled_by_a_proof(tmp_path: Path) -> None:
    called = verified(tmp_path, means(1.0, 0.0))
    assert called.code == 0, called.text
    predicate = called.json["predicate"]
    assert predicate["proof"]["level"] == "native"
    assert predicate["made_up"]["figures"]["beyond_tolerance"] > 0
    assert any("by rounding alone" in line for line in predicate["remarks"])


def test_another_function_and_given_inputs_stay_refused(tmp_path: Path) -> None:
    assert verified(tmp_path, means(1.0004, 0.0)).code == 1
    assert verified(tmp_path, means(1.0, 0.0), alike=True).code == 1
