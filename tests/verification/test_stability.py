"""Generated inputs on which the source is rounding alone are left out; a user's own never are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.settings import VerifySettings
from safeconvert.config.settings import load_settings
from safeconvert.conversion.models import evaluate, open_model
from safeconvert.core.progress import Phases
from safeconvert.inputs.store import Chunk, saved
from safeconvert.verification.stability import SEVERAL, stable_samples
from safeconvert.workers.run import open_run
from tests.command import safeconvert
from tests.onnx_models import model

pytestmark = pytest.mark.converters


def normalised(folder: Path) -> Path:
    """(x - mean) / (deviation + 1e-6) over pictures: of one colour, rounding divided by next to nothing."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[2, 3], keepdims=1),
        helper.make_node("Sub", ["x", "mean"], ["centred"]),
        helper.make_node("Mul", ["centred", "centred"], ["squares"]),
        helper.make_node("ReduceMean", ["squares"], ["variance"], axes=[2, 3], keepdims=1),
        helper.make_node("Sqrt", ["variance"], ["deviation"]),
        helper.make_node("Add", ["deviation", "least"], ["divisor"]),
        helper.make_node("Div", ["centred", "divisor"], ["y"]),
    ]
    onnx.save(model(nodes, {"x": ["N", 3, 9, 7]}, ["y"], {"least": np.float32([1e-7])}), folder / "m.onnx")
    return folder / "m.onnx"


def test_a_generated_picture_of_one_colour_is_left_out_where_it_is_rounding(tmp_path: Path) -> None:
    called = safeconvert(
        "onnx2tflite", normalised(tmp_path), "-o", tmp_path / "m.tflite", "--samples", "40", "--json",
        XDG_STATE_HOME=str(tmp_path / "state"),
    )  # fmt: skip
    assert called.code == 0, called.text
    inputs = called.json["predicate"]["inputs"]
    assert 20 <= inputs["used"] < inputs["count"] == 40


def test_what_one_draw_leaves_in_order_several_do_not() -> None:
    """Which of two equal scores is larger: a draw that moves both the same way leaves them equal."""
    nodes = [
        helper.make_node("Split", ["x"], ["left", "right"], axis=1),
        helper.make_node("Sub", ["left", "right"], ["gap"]),
        helper.make_node("Sign", ["gap"], ["y"]),
    ]
    x = np.repeat(np.linspace(0.1, 0.9, 64, dtype="f4")[:, None], 2, axis=1)
    with open_run(load_settings(), Phases()) as run:
        path = run.kept("model") / "m.onnx"
        onnx.save(model(nodes, {"x": ["N", 2]}, ["y"]), path)
        session = open_model(run, "source", "onnx", ModelRequest(str(path)))
        chunk = Chunk(0, len(x), saved(run.kept("made"), "in", {"x": x}))
        outputs = evaluate(run, session, [dict(chunk.arrays)], "running")
        left = [
            len(stable_samples(run, session, ([chunk], outputs), 0, np.arange(len(x)), VerifySettings(), draws))
            for draws in (1, SEVERAL)
        ]
    assert left[0] > 16 and left[1] <= 4


def test_a_users_picture_of_one_colour_counts(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.linspace(0.1, 0.9, 6, dtype="f4").reshape(6, 1, 1, 1) + np.zeros((1, 3, 9, 7), "f4"))
    called = safeconvert(
        "verify", normalised(tmp_path), tmp_path / "m.onnx", "--inputs", tmp_path / "x.npy", "--json",
        XDG_STATE_HOME=str(tmp_path / "state"),
    )  # fmt: skip
    assert called.code == 0, called.text
    inputs = called.json["predicate"]["inputs"]
    assert inputs["used"] == inputs["count"] == 6
