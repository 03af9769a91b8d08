"""Presets against the libraries that define them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from safeconvert.core.resources import data_folder
from safeconvert.errors import UnusableInput
from safeconvert.inputs.preprocessing import Preprocessing, apply, final_size, load_presets, preset_or_file
from tests.program import KERAS, run_program

PRESETS = data_folder("configs") / "preprocessing.toml"


def test_every_preset_says_where_it_is_defined() -> None:
    presets = load_presets(PRESETS)
    assert {"torchvision", "keras.mobilenet_v2", "keras.resnet_v2", "keras.resnet50", "keras.inception_v3",
            "slim.inception", "tflite.mobilenet", "raw"} <= set(presets)  # fmt: skip
    assert all(len(preset.source) > 10 for preset in presets.values())


@pytest.mark.converters
def test_keras_presets_compute_what_keras_computes(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 3), np.uint8)
    np.save(tmp_path / "pixels.npy", pixels)
    presets = load_presets(PRESETS)
    names = [name.removeprefix("keras.") for name in presets if name.startswith("keras.")]
    program = Path(__file__).parent / "programs" / "library_preprocessing.py"
    theirs = json.loads(run_program(program, tmp_path / "pixels.npy", *names, modules=KERAS).splitlines()[-1])
    assert theirs.keys() == set(names) and len(names) >= 5
    for name in names:
        ours = apply(Image.fromarray(pixels), presets[f"keras.{name}"], None, 3)
        np.testing.assert_allclose(ours.reshape(-1), theirs[name], rtol=1e-5, atol=1e-4, err_msg=name)


def test_torchvision_is_its_mean_and_deviation() -> None:
    pixels = np.full((2, 2, 3), [255, 0, 51], np.uint8)
    made = apply(Image.fromarray(pixels), load_presets(PRESETS)["torchvision"], None, 3)
    np.testing.assert_allclose(made[0, 0], [(1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225], rtol=1e-5)


def test_sizes_larger_ones_are_cropped_and_smaller_ones_resized() -> None:
    preset = load_presets(PRESETS)["raw"]
    ramp = np.arange(10 * 10, dtype=np.uint8).reshape(10, 10)
    picture = Image.fromarray(np.stack([ramp] * 3, axis=-1))
    np.testing.assert_array_equal(apply(picture, preset, (8, 8), 3)[..., 0], ramp[1:9, 1:9])
    assert apply(picture, preset, (20, 20), 3).shape == (20, 20, 3)
    assert apply(picture, preset, (8, 8), 1).shape == (8, 8, 1)


@pytest.mark.parametrize(
    "text",
    [
        "[p]\nmeen = 1\n",
        "[p]\nstd = 0\n",
        "[p]\nmean = [1, 2]\n",
        "[p]\nchannel_order = 'BRG'\n",
        "p = 3\n",
        "[[",
        "[a]\n[b]\n",
        "",
        "[p]\nscale = nan\n",
        "[p]\nscale = 1e39\n",
        "[p]\nscale = true\n",
        "[p]\nmean = inf\n",
        "[p]\nmean = ['1', '2', '3']\n",
        "[p]\nstd = [1, 1e-300, 1]\n",
        "[p]\nresize = -5\n",
        "[p]\nresize = 1.5\n",
        "[p]\nresize = inf\n",
        "[p]\nresize = 99999999999\n",
        "[p]\ninterpolation = 'nearest'\n",
    ],
)
def test_a_file_that_is_no_preset_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(UnusableInput, match=r"own\.toml"):
        preset_or_file(str(path), PRESETS)


def test_a_preset_of_ones_own_and_a_near_name(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text("[mine]\nscale = 0.5\nmean = 1\n")
    assert preset_or_file(str(path), PRESETS).mean == (1.0, 1.0, 1.0)
    with pytest.raises(UnusableInput) as raised:
        preset_or_file("torchvison", PRESETS)
    assert "torchvision" in raised.value.advice


NUMBERS = st.floats(-10, 10, width=32)
NOT_ZERO = NUMBERS.filter(lambda number: abs(number) > 0.01)


@settings(max_examples=50, deadline=None)
@given(
    recipe=st.builds(
        Preprocessing,
        name=st.just("p"),
        source=st.just("here"),
        scale=NUMBERS,
        mean=st.tuples(NUMBERS, NUMBERS, NUMBERS),
        std=st.tuples(NOT_ZERO, NOT_ZERO, NOT_ZERO),
        channel_order=st.sampled_from(["RGB", "BGR"]),
    ),
    channels=st.sampled_from([1, 3]),
)
def test_values_are_scaled_then_shifted_then_divided(recipe: Preprocessing, channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (4, 5, 3), np.uint8)
    picture = Image.fromarray(pixels if channels == 3 else pixels[..., 0])
    read = pixels[..., :channels].astype("f8")
    if recipe.channel_order == "BGR" and channels == 3:
        read = read[..., ::-1]
    expected = (read * recipe.scale - recipe.mean[:channels]) / recipe.std[:channels]
    made = apply(picture, recipe, None, channels)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, expected, rtol=1e-4, atol=1e-3 / min(map(abs, recipe.std)))


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 60),
    height=st.integers(1, 60),
    resize=st.integers(0, 40),
    size=st.none() | st.tuples(st.integers(1, 50), st.integers(1, 50)),
    interpolation=st.sampled_from(["bilinear", "bicubic"]),
    crop=st.integers(0, 30),
)
def test_any_picture_becomes_the_size_asked_for(
    width: int, height: int, resize: int, size: tuple[int, int] | None, interpolation: str, crop: int
) -> None:
    recipe = Preprocessing("p", "here", resize=resize, interpolation=interpolation, crop=crop)
    made = apply(Image.new("RGB", (width, height), (9, 9, 9)), recipe, size, 3)
    assert made.shape == (*(size or final_size(width, height, recipe)), 3)
    np.testing.assert_array_equal(made, np.full_like(made, 9))


def test_the_shorter_side_is_brought_to_resize_and_a_smaller_picture_left() -> None:
    recipe = Preprocessing("p", "here", resize=8)
    assert final_size(32, 16, recipe) == (8, 16) and final_size(6, 40, recipe) == (40, 6)
    assert final_size(32, 16, None) == (16, 32)


def test_where_the_model_takes_any_size_the_preset_crops_what_is_large_enough() -> None:
    recipe = load_presets(PRESETS)["torchvision"]
    assert final_size(227, 227, recipe) == (224, 224) and final_size(640, 480, recipe) == (224, 224)
    assert final_size(32, 300, recipe) == (300, 32)
