"""`--target-layout` says what the target takes, and the route gives it: channels stay second, or go last where nobody would move them."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import helper

from tests.command import safeconvert
from tests.onnx_models import model, random

pytestmark = pytest.mark.converters
FILES = {"keras": "out.keras", "tflite": "out.tflite", "tf": "out"}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["maps"], "conv", pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["maps"], ["means"], "pool"),
        helper.make_node("Flatten", ["means"], ["y"], "flat"),
    ]
    path = tmp_path_factory.mktemp("image") / "net.onnx"
    onnx.save(model(nodes, {"x": ["N", 3, 8, 6]}, ["maps", "y"], {"w": random(4, 3, 3, 3)}), path)
    return path


def shapes(target: str, source: Path, folder: Path, *flags: str) -> list[list[int | None]]:
    done = safeconvert(
        "convert", source, "--to", target, "-o", folder / FILES[target], "--samples", 8, *flags, "--json"
    )
    assert done.code == 0, done.text
    contract = done.json["predicate"]["contract"]
    return [one["target"]["shape"] for one in (*contract["inputs"], *contract["outputs"])]


@pytest.mark.parametrize("target", [pytest.param("tf", marks=pytest.mark.slow), "tflite"])
def test_channels_stay_second_where_that_is_wanted(target: str, image: Path, tmp_path: Path) -> None:
    assert shapes(target, image, tmp_path, "--target-layout", "keep") == [[None, 3, 8, 6], [None, 4, 8, 6], [None, 4]]


def test_a_single_tensor_is_kept(image: Path, tmp_path: Path) -> None:
    assert shapes("keras", image, tmp_path, "--target-layout", "maps=keep") == [
        [None, 8, 6, 3],
        [None, 4, 8, 6],
        [None, 4],
    ]


def test_what_is_no_image_is_moved_where_that_is_wanted(tmp_path: Path) -> None:
    onnx.save(
        model([helper.make_node("Relu", ["x"], ["y"], "relu")], {"x": ["N", 3, 8, 6]}, ["y"]), tmp_path / "net.onnx"
    )
    wanted = ("--target-layout", "NCHW->NHWC", "--target-layout", "y=keep")
    assert shapes("keras", tmp_path / "net.onnx", tmp_path, *wanted) == [[None, 8, 6, 3], [None, 3, 8, 6]]
