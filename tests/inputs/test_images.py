"""Folders of pictures: sizes, channels, labels, digests, and files that are no pictures."""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput
from safeconvert.inputs.images import ImageInputs
from safeconvert.inputs.open import open_inputs
from safeconvert.inputs.preprocessing import Preprocessing

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".bmp": "BMP", ".webp": "WEBP"}


def takes(*shape: int | None, dtype: str = "float32", layout: str | None = None) -> Signature:
    return Signature((TensorSpec("x", shape, dtype, layout),), ())


def encoded(suffix: str) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    Image.fromarray(pixels).save(file, FORMATS[suffix])
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "pictures"
    found.mkdir()
    for number, suffix in enumerate(FORMATS):
        (found / f"{number}{suffix}").write_bytes(encoded(suffix))
    (found / "notes.txt").write_text("not a picture, and not asked for")
    return found


@pytest.mark.parametrize(
    ("signature", "shape"),
    [
        (takes(None, 3, 9, 7), (4, 3, 9, 7)),
        (takes(None, 9, 7, 3), (4, 9, 7, 3)),
        (takes(None, 9, 7, 1), (4, 9, 7, 1)),
        (takes(None, 1, 9, 7), (4, 1, 9, 7)),
        (takes(None, 3, None, None), (4, 3, 9, 7)),
        (takes(None, None, None, None, layout="NHWC"), (4, 9, 7, 3)),
        (takes(None, 3, 12, 3, layout="NCHW"), (4, 3, 12, 3)),
        (takes(None, 3, 12, 3, layout="NHWC"), (4, 3, 12, 3)),
    ],
    ids=str,
)
def test_channels_are_where_they_are_declared_or_where_there_are_1_or_3(
    signature: Signature, shape: tuple[int, ...], folder: Path
) -> None:
    made = open_inputs(folder, signature, None, None).chunk(0, 4)["x"]
    assert made.shape == shape and made.dtype == np.float32 and made.flags.c_contiguous


def test_a_declared_layout_decides_what_the_numbers_mean(folder: Path) -> None:
    first, last = (
        open_inputs(folder, takes(None, 3, 3, 3, layout=layout), None, 1).chunk(0, 1)["x"]
        for layout in ("NCHW", "NHWC")
    )
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), last)
    assert not np.array_equal(first, last)


@pytest.mark.parametrize(
    ("signature", "says"),
    [
        (takes(None, 3, 8, 3), "which dimension"),
        (takes(None, None, None, None), "which dimension"),
        (takes(None, 4, 8, 8, layout="NCHW"), "4 channels"),
        (takes(None, 8), "4-dimensional"),
        (Signature(takes(None, 3, 8, 8).inputs * 2, ()), "4-dimensional"),
        (takes(None, 3, 8, 8, dtype="bfloat16"), "bfloat16"),
    ],
    ids=str,
)
def test_a_model_that_takes_no_pictures_is_said_to(signature: Signature, says: str, folder: Path) -> None:
    with pytest.raises(UnusableInput, match=says) as raised:
        open_inputs(folder, signature, None, None)
    assert str(folder) in raised.value.message


def test_integers_are_rounded_and_held_within_their_type(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8, 3), [0, 100, 255], np.uint8)).save(tmp_path / "a.png")
    recipe = Preprocessing("p", "here", scale=1.5, mean=(10.0, 0.3, 0.0))
    made = open_inputs(tmp_path, takes(None, 8, 8, 3, dtype="uint8"), recipe, None).chunk(0, 1)["x"]
    assert made.dtype == np.uint8 and made[0, 0, 0].tolist() == [0, 150, 255]
    made = open_inputs(tmp_path, takes(None, 8, 8, 3, dtype="int8"), recipe, None).chunk(0, 1)["x"]
    assert made[0, 0, 0].tolist() == [-10, 127, 127]


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "LA", "CMYK", "1", "I;16"])
def test_pictures_of_every_mode_become_three_channels(mode: str, tmp_path: Path) -> None:
    suffix = ".jpg" if mode == "CMYK" else ".png"
    grey = Image.fromarray(np.full((8, 8), 255, np.uint8))
    picture = Image.fromarray(np.full((8, 8), 65535, np.uint16)) if mode == "I;16" else grey.convert(mode)
    assert picture.mode == mode
    picture.save(tmp_path / f"a{suffix}")
    made = open_inputs(tmp_path, takes(None, 8, 8, 3), None, None).chunk(0, 1)["x"]
    np.testing.assert_allclose(made, np.full((1, 8, 8, 3), 255.0), atol=1)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("file,label\n0.png,7\n", (7, None, None, None)),
        ("0.png,7\n3.webp , 2\n", (7, None, None, 2)),
        ("\ufeff0.png,7\n", (7, None, None, None)),
        ("file,label\r\n0.png,-1,cat\r\n\r\n", (-1, None, None, None)),
        ("", (None, None, None, None)),
    ],
    ids=repr,
)
def test_labels_are_read_with_or_without_a_header(text: str, labels: tuple[int | None, ...], folder: Path) -> None:
    (folder / "labels.csv").write_text(text, encoding="utf-8", newline="")
    assert open_inputs(folder, takes(None, 3, 9, 7), None, None).labels == labels


@pytest.mark.parametrize("label", ["cat", "--5", "²", "9" * 5000, "1.5", "", "\0"], ids=lambda text: text[:4])
def test_a_label_that_is_no_number_is_named_with_its_line(label: str, folder: Path) -> None:
    (folder / "labels.csv").write_text(f"file,label\n0.png,1\n1.jpg,{label}\n", encoding="utf-8")
    with pytest.raises(UnusableInput, match=r"labels\.csv.*(line 3|NUL)"):
        open_inputs(folder, takes(None, 3, 9, 7), None, None)


def test_without_labels_there_are_none(folder: Path) -> None:
    assert open_inputs(folder, takes(None, 3, 9, 7), None, None).labels is None


def test_the_digest_tells_names_and_contents_apart(folder: Path) -> None:
    def digest() -> str:
        return open_inputs(folder, takes(None, 3, 9, 7), None, None).digest()

    first = digest()
    (folder / "0.png").rename(folder / "00.png")
    renamed = digest()
    (folder / "00.png").rename(folder / "0.png")
    assert digest() == first != renamed


def test_a_name_that_is_no_utf8_is_a_name(folder: Path) -> None:
    with open(os.fsencode(folder) + b"/\xff.png", "wb") as file:
        file.write(encoded(".png"))
    opened = open_inputs(folder, takes(None, 3, 9, 7), None, None)
    assert opened.count == 5 and len(opened.digest()) == 64 and opened.chunk(4, 5)["x"].shape == (1, 3, 9, 7)


def test_the_folder_is_named_also_where_it_is_the_current_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert open_inputs(Path(), takes(None, 3, 9, 7), None, None).origin == "pictures/ (4 images)"


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    (tmp_path / "b.txt").write_text("x")
    with pytest.raises(UnusableInput, match="no image"):
        open_inputs(tmp_path, takes(None, 3, 8, 8), None, None)


def test_an_unreasonable_size_is_refused_before_it_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 50)
    (tmp_path / "bomb.png").write_bytes(encoded(".png"))
    with pytest.raises(UnusableInput, match=r"bomb\.png.*large"):
        open_inputs(tmp_path, takes(None, 3, None, None), None, None)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    suffix=st.sampled_from(list(FORMATS)),
    changes=st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), max_size=3),
    cut=st.integers(0, 10**4),
)
def test_a_damaged_picture_is_named_or_still_a_picture(
    suffix: str, changes: list[tuple[int, int]], cut: int, tmp_path: Path
) -> None:
    data = bytearray(encoded(suffix))
    for position, value in changes:
        data[position % len(data)] = value
    for other in tmp_path.iterdir():
        other.unlink()
    path = tmp_path / f"a{suffix}"
    path.write_bytes(data[: max(1, cut % (len(data) * 2))])
    try:
        made = open_inputs(tmp_path, takes(None, 3, 9, 7), None, None).chunk(0, 1)["x"]
        assert made.shape == (1, 3, 9, 7) and np.isfinite(made).all()
    except UnusableInput as error:
        assert path.name in error.message


def taken(folder: Path, layout: str = "NHWC", channels: int = 3) -> np.ndarray:
    """The only picture of a folder, as a model takes it."""
    inputs = open_inputs(folder, takes(None, None, None, channels, layout=layout), None, None)
    return inputs.chunk(0, 1)["x"][0]


def test_sixteen_bits_are_scaled_to_eight(tmp_path: Path) -> None:
    grey = np.linspace(0, 65535, 63).round().astype(np.uint16).reshape(9, 7)
    Image.fromarray(grey).save(tmp_path / "a.png")
    expected = np.rint(grey / 257)
    assert np.array_equal(taken(tmp_path, channels=1)[..., 0], expected)
    assert all(np.array_equal(taken(tmp_path)[..., channel], expected) for channel in range(3))


@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_a_picture_is_turned_as_its_exif_says(orientation: int, turns: int, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (9, 7, 3), np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(taken(tmp_path), np.rot90(pixels, turns))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_values_without_a_scale_are_refused(mode: str, tmp_path: Path) -> None:
    Image.new(mode, (7, 9), 70000).save(tmp_path / "a.bmp", "TIFF")
    with pytest.raises(UnusableInput, match=r"a\.bmp: its values of 32 bits have no known scale"):
        taken(tmp_path)


def test_what_pillow_passes_over_is_not_printed(tmp_path: Path) -> None:
    """A picture whose animation is damaged is its first frame, without a warning of Pillow's on the terminal."""
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.png", save_all=True, append_images=frames[1:])
    whole = (tmp_path / "a.png").read_bytes()
    place = whole.index(b"acTL") - 4
    (tmp_path / "a.png").write_bytes(whole[:place] + whole[place:][:20] + whole[place:])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opened = open_inputs(tmp_path, takes(None, 3, 4, 4), None, None)
        assert opened.chunk(0, 1)["x"][0, :, 0, 0].tolist() == [255, 0, 0]


def test_a_tree_of_folders_is_one_set_in_the_order_of_its_names(tmp_path: Path) -> None:
    for name, shade in (
        ("cats/1.png", 1),
        ("cats/deep/2.png", 2),
        ("dogs/1.png", 3),
        ("top.png", 4),
        (".hidden/1.png", 5),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), shade).save(tmp_path / name)
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "labels.csv").write_text("file,label\ncats/1.png,7\ndogs/1.png,8\ntop.png,9\n")
    opened = open_inputs(tmp_path, takes(None, None, None, 1, layout="NHWC"), None, None)
    assert isinstance(opened, ImageInputs) and opened.labels == (7, None, 8, 9)
    assert opened.chunk(0, 4)["x"][:, 0, 0, 0].tolist() == [1, 2, 3, 4]
    assert [opened.name(file) for file in opened.files] == ["cats/1.png", "cats/deep/2.png", "dogs/1.png", "top.png"]
    before = opened.digest()
    (tmp_path / "dogs" / "1.png").rename(tmp_path / "cats" / "3.png")
    assert open_inputs(tmp_path, takes(None, None, None, 1, layout="NHWC"), None, None).digest() != before
