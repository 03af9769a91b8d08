"""What is beyond tolerance and equal in float64 is rounding; nothing else is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from tests.command import Called, safeconvert
from tests.onnx_models import model

pytestmark = pytest.mark.converters


def scaled(factor: float, shift: float) -> onnx.ModelProto:
    """y = (factor x + shift) - shift, which is factor x but for rounding at the size of shift."""
    constants = {"factor": np.float32([factor]), "shift": np.float32([shift])}
    nodes = [
        helper.make_node("Mul", ["x", "factor"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], ["raised"]),
        helper.make_node("Sub", ["raised", "shift"], ["y"]),
    ]
    return model(nodes, {"x": ["N", 5, 6]}, ["y"], constants)


def verified(folder: Path, target: onnx.ModelProto, settings: str = "", whole: bool = False) -> Called:
    """On given inputs between -1 and 1, all of them multiples of a half where `whole`, which no rounding of the target moves."""
    onnx.save(scaled(1.0, 0.0), folder / "source.onnx")
    onnx.save(target, folder / "target.onnx")
    inputs = np.random.default_rng(0).uniform(-1, 1, size=(20, 5, 6)).astype(np.float32)
    np.save(folder / "x.npy", np.rint(2 * inputs) / 2 if whole else inputs)
    (folder / "c.toml").write_text(settings)
    return safeconvert(
        "verify", folder / "source.onnx", folder / "target.onnx", "--inputs", folder / "x.npy", "--json",
        "--config", folder / "c.toml", XDG_STATE_HOME=str(folder / "state"),
    )  # fmt: skip


def test_rounding_alone_is_equal_and_recorded(tmp_path: Path) -> None:
    called = verified(tmp_path, scaled(1.0, 2.0**12))
    assert called.code == 0, called.text
    figures = called.json["predicate"]["verification"]["source native vs target native"]
    assert figures["equal"] and figures["relative"] > 1e-4 and figures["beyond_tolerance"] > 0
    assert figures["rounding"]["samples"] >= figures["beyond_tolerance"]
    assert figures["rounding"]["relative_in_float64"] < 1e-7  # of inputs of 1e-4 beside 4096
    assert any("by rounding alone" in line for line in called.json["predicate"]["remarks"])


@pytest.mark.parametrize(
    ("factor", "shift", "settings"),
    [
        (1.0003, 0.0, ""),  # another function, as far away as the rounding above
        (1.00003, 2.0**12, ""),  # the same, hidden in rounding
        (1.0, 2.0**15, ""),  # more than is ever put down to rounding
        (1.0, 2.0**12, "[verify]\nrounding = 0.0\n"),
    ],
)
def test_anything_else_stays_refused(tmp_path: Path, factor: float, shift: float, settings: str) -> None:
    called = verified(tmp_path, scaled(factor, shift), settings)
    assert called.code == 1, called.text
    assert "rounding" not in called.json["predicate"]["verification"]["source native vs target native"]


@pytest.mark.parametrize(("shift", "code"), [(2.0**12, 0), (2.0**21, 1)])
def test_made_up_samples_are_off_by_rounding_only_up_to_a_share_of_the_range(
    tmp_path: Path, shift: float, code: int
) -> None:
    """The given inputs are equal; the made-up ones beside them are off by a 4096th, and by an 8th beside outputs of at most 20."""
    called = verified(tmp_path, scaled(1.0, shift), whole=True)
    assert called.code == code, called.text
    figures = called.json["predicate"]["made_up"]["figures"]
    assert figures["equal"] is (code == 0) and figures["beyond_tolerance"] > 0
    native = called.json["predicate"]["verification"]["source native vs target native"]
    assert (native["max_abs"] == 0) is (code == 0), "where steering inputs refute it, these are given and made up"
