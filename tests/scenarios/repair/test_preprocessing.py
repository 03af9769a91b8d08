"""A deployment that feeds the target otherwise: named, proven, and made an obligation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.command import Called, safeconvert
from tests.slow import first_of_every

pytestmark = pytest.mark.converters


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(12):
        pixels = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def call(command: str, whole: Path, pictures: Path, *options: object) -> Called:
    return safeconvert(
        command, whole / "model.keras", whole / "model.tflite", "--inputs", pictures, "--preprocessing", "keras.mobilenet_v2",
        "--json", *options,
    )  # fmt: skip


def test_another_preprocessing_is_the_fault_and_the_source_s_the_obligation(
    whole: Path, pictures: Path, tmp_path: Path
) -> None:
    named = call("localize", whole, pictures, "--target-preprocessing", "raw")
    assert named.code == 1, named.text
    (fault,) = named.json["predicate"]["faults"]
    assert (fault["kind"], fault["source"], fault["target"]) == ("PP", "keras.mobilenet_v2", "raw")
    assert fault["proven"] and "as deployed, on 0 with the source's" in fault["evidence"]
    fixed = call("repair", whole, pictures, "--target-preprocessing", "raw", "-o", tmp_path / "fixed.tflite")
    assert fixed.code == 0, fixed.text
    assert any("keras.mobilenet_v2" in line for line in fixed.json["predicate"]["obligations"])
    assert (tmp_path / "fixed.tflite").read_bytes() == (whole / "model.tflite").read_bytes()


def test_the_same_preprocessing_under_another_name_is_no_fault(whole: Path, pictures: Path) -> None:
    called = call("localize", whole, pictures, "--target-preprocessing", "tflite.mobilenet")
    assert called.code == 0, called.text
    assert called.json["predicate"]["faults"] == []


def test_it_needs_pictures(whole: Path, tmp_path: Path) -> None:
    called = safeconvert("localize", whole / "model.keras", whole / "model.tflite", "--target-preprocessing", "raw")
    assert called.code == 2 and "folder of images" in called.err


@pytest.mark.slow
def test_a_target_with_the_preprocessing_built_in_is_known_for_one(whole: Path, pictures: Path, tmp_path: Path) -> None:
    """It takes raw pixels: wrong under the source's preset, right under another known one."""
    baked = tmp_path / "baked.onnx"
    call_it = ("convert", whole / "model.keras", "--to", "onnx", "-o", baked, "--inputs", pictures, "--json")
    made = safeconvert(*call_it, "--preprocessing", "keras.mobilenet_v2", "--bake-preprocessing")
    assert made.code == 0, made.text
    assert any("takes raw" in line for line in made.json["predicate"]["obligations"])
    verified = safeconvert(
        "verify", whole / "model.keras", baked, "--inputs", pictures, "--preprocessing", "keras.mobilenet_v2"
    )
    assert verified.code == 1, verified.text
    fixed = safeconvert(
        "repair", whole / "model.keras", baked, "-o", tmp_path / "fixed.onnx", "--inputs", pictures,
        "--preprocessing", "keras.mobilenet_v2", "--json",
    )  # fmt: skip
    assert fixed.code == 0, fixed.text
    predicate = fixed.json["predicate"]
    assert [(fault["kind"], fault["target"]) for fault in predicate["faults"]] == [("PP", "raw")]
    assert any("preprocess for the target so: raw" in line for line in predicate["obligations"])


@pytest.mark.parametrize("suffix", first_of_every(2, ["tflite", "keras"]))
def test_it_is_built_into_native_targets(suffix: str, whole: Path, pictures: Path, tmp_path: Path) -> None:
    made = safeconvert(
        "convert", whole / "model.keras" if suffix == "tflite" else whole / "model.tflite", "--to", suffix,
        "-o", tmp_path / f"baked.{suffix}", "--inputs", pictures, "--preprocessing", "keras.mobilenet_v2",
        "--target-preprocessing", "keras.vgg16", "--bake-preprocessing", "--json",
    )  # fmt: skip
    assert made.code == 0, made.text
    predicate = made.json["predicate"]
    assert any("takes keras.vgg16" in line for line in predicate["obligations"])
    assert [fault["kind"] for fault in predicate["faults"]] == ["PP"]


def test_building_in_needs_pictures(whole: Path, tmp_path: Path) -> None:
    called = safeconvert(
        "convert", whole / "model.keras", "--to", "onnx", "-o", tmp_path / "m.onnx", "--bake-preprocessing"
    )
    assert called.code == 2 and "folder of images" in called.err
    assert not (tmp_path / "m.onnx").exists()
