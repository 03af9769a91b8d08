"""Turn an image into a model's input: value = (pixel · scale − mean) / std for each channel.

Presets lie in `configs/preprocessing.toml`, each with the place where the official repository defines it.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from safeconvert.core.documents import read_toml
from safeconvert.errors import UnusableInput

if TYPE_CHECKING:
    from PIL.Image import Image

_LARGEST = float(np.finfo(np.float32).max)
Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class Preprocessing:
    """A recipe.

    Attributes:
        name: of the preset.
        source: where the official repository defines it.
        scale: factor of the pixel values 0..255, first of all.
        mean: subtracted after scaling, one for each channel in `channel_order`.
        std: divides at the end, one for each channel in `channel_order`.
        channel_order: `RGB` or `BGR`.
        resize: shorter side, in pixels, that larger images are brought to before the crop; 0 leaves them.
        interpolation: `bilinear` or `bicubic`, for resizing.
        crop: pixels a side that images at least that large are cropped to at their centre, where the model takes any size; 0 leaves them.
    """

    name: str
    source: str
    scale: float = 1.0
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    channel_order: str = "RGB"
    resize: int = 0
    interpolation: str = "bilinear"
    crop: int = 0


RAW = Preprocessing("raw", "pixel values 0 to 255 as they are")


@cache
def load_presets(path: Path) -> dict[str, Preprocessing]:
    """All presets of a TOML file, by name. Raises UnusableInput for a file or key that is not understood."""
    try:
        data = read_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnusableInput(f"{path}: cannot be read as TOML: {error}") from error
    return {name: _preset(path, name, values) for name, values in data.items()}


def preset_or_file(name: str, presets: Path) -> Preprocessing:
    """A preset by name, or the only preset of a TOML file.

    Raises:
        UnusableInput: no such preset (near names are suggested), or a file that does not hold exactly one.
    """
    known = load_presets(presets)
    if name in known:
        return known[name]
    path = Path(name)
    if path.suffix == ".toml":
        own = load_presets(path)
        if len(own) != 1:
            raise UnusableInput(f"{path}: holds {len(own)} presets, not one")
        return next(iter(own.values()))
    near = difflib.get_close_matches(name, known, n=3)
    raise UnusableInput(
        f"--preprocessing {name}: no such preset",
        f"did you mean {', '.join(near)}?" if near else f"one of {', '.join(sorted(known))}, or a .toml file",
    )


def apply(image: Image, recipe: Preprocessing, size: tuple[int, int] | None, channels: int) -> Floats:
    """The input made of one image.

    An image whose shorter side is larger than `resize` is resized to it first. Then, to reach `size`: an image at
    least that large is cropped at its centre (so that 227 pixels become 224 without resampling); a smaller one is
    resized.

    Args:
        image: any image that Pillow opens.
        recipe: what to do with the values.
        size: (height, width) in pixels that the model takes; None is the `final_size`.
        channels: 3, or 1 for a grey image (scaled with the first channel's mean and std); 4 is not supported.

    Returns:
        float32, height × width × channels.
    """
    from PIL import Image as pillow

    resample = {"bilinear": pillow.Resampling.BILINEAR, "bicubic": pillow.Resampling.BICUBIC}[recipe.interpolation]
    image = image.convert("L" if channels == 1 else "RGB")
    size = size if size is not None else final_size(image.width, image.height, recipe)
    shorter = min(image.size)
    if recipe.resize and shorter > recipe.resize:
        factor = recipe.resize / shorter
        image = image.resize((round(image.width * factor), round(image.height * factor)), resample)
    if (image.height, image.width) != size:
        height, width = size
        if image.height < height or image.width < width:
            image = image.resize((width, height), resample)
        left, top = (image.width - width) // 2, (image.height - height) // 2
        image = image.crop((left, top, left + width, top + height))
    pixels = np.asarray(image, dtype=np.float32).reshape(image.height, image.width, channels)
    if channels == 3 and recipe.channel_order == "BGR":
        pixels = pixels[..., ::-1]
    mean, std = (np.asarray(numbers[:channels], np.float32) for numbers in (recipe.mean, recipe.std))
    return np.asarray((pixels * np.float32(recipe.scale) - mean) / std, dtype=np.float32)


def final_size(width: int, height: int, recipe: Preprocessing | None) -> tuple[int, int]:
    """(height, width) that an image has after resize and crop, where a model asks for no size of its own."""
    if recipe is None:
        return height, width
    shorter = min(width, height)
    if recipe.resize and shorter > recipe.resize:
        factor = recipe.resize / shorter
        height, width = round(height * factor), round(width * factor)
    return (recipe.crop, recipe.crop) if recipe.crop and min(height, width) >= recipe.crop else (height, width)


def _preset(path: Path, name: str, values: object) -> Preprocessing:
    known = [field.name for field in fields(Preprocessing) if field.name != "name"]
    if not isinstance(values, dict):
        raise UnusableInput(f"{path}: {name} is no table", "write it as [name] with keys below")
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1)
            advice = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            raise UnusableInput(f"{path}: unknown key {name}.{key}", advice)
    recipe = Preprocessing(
        name=name,
        source=str(values.get("source", path.name)),
        scale=_number(path, name, "scale", values.get("scale", 1.0)),
        mean=_three(path, name, "mean", values.get("mean", 0.0)),
        std=_three(path, name, "std", values.get("std", 1.0)),
        channel_order=str(values.get("channel_order", "RGB")),
        resize=_pixels(path, name, "resize", values.get("resize", 0)),
        interpolation=str(values.get("interpolation", "bilinear")),
        crop=_pixels(path, name, "crop", values.get("crop", 0)),
    )
    if recipe.channel_order not in ("RGB", "BGR") or recipe.interpolation not in ("bilinear", "bicubic"):
        raise UnusableInput(f"{path}: {name}: channel_order is RGB or BGR, interpolation bilinear or bicubic")
    if not np.asarray(recipe.std, np.float32).all():
        raise UnusableInput(f"{path}: {name}.std holds a zero, or what float32 takes for one")
    return recipe


def _number(path: Path, name: str, key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _LARGEST:
        raise UnusableInput(f"{path}: {name}.{key} is not a number that float32 holds: {value!r}")
    return float(value)


def _pixels(path: Path, name: str, key: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1 << 16:
        raise UnusableInput(f"{path}: {name}.{key} is not a whole number of pixels: {value!r}")
    return value


def _three(path: Path, name: str, key: str, value: object) -> tuple[float, float, float]:
    """One number for all channels, or one for each."""
    numbers = value if isinstance(value, list) else [value] * 3
    if len(numbers) != 3:
        raise UnusableInput(f"{path}: {name}.{key} has {len(numbers)} numbers, not one or three")
    first, second, third = (_number(path, name, key, number) for number in numbers)
    return first, second, third
