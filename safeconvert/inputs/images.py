"""Samples from a folder of images and the folders in it, with an optional `labels.csv` (file,label)."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput
from safeconvert.inputs.interface import Array
from safeconvert.inputs.labels import read_labels
from safeconvert.inputs.preprocessing import RAW, Preprocessing, apply, final_size

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
"""Endings of images, in lower case."""


@dataclass(frozen=True)
class ImageForm:
    """What images become for a model.

    Attributes:
        spec: the model's only input.
        channels_last: where its channels are.
        size: (height, width) of all images.
        channels: 1 or 3.
        preprocessing: what is done to the pixels.
    """

    spec: TensorSpec
    channels_last: bool
    size: tuple[int, int]
    channels: int
    preprocessing: Preprocessing

    def batch(self, images: Iterable[Image.Image]) -> Array:
        """Images as the model takes them, along axis 0; each is closed."""
        arrays = []
        for image in images:
            with image:
                arrays.append(apply(image, self.preprocessing, self.size, self.channels))
        batch = np.stack(arrays)
        if not self.channels_last:
            batch = batch.transpose(0, 3, 1, 2)
        wanted = np.dtype(self.spec.dtype)
        if wanted.kind in "iu":
            limits = np.iinfo(wanted)
            batch = np.clip(np.rint(batch), limits.min, limits.max)
        return np.ascontiguousarray(batch, dtype=wanted)


@dataclass(frozen=True)
class ImageInputs:
    """Images, decoded when asked for."""

    folder: Path
    files: tuple[Path, ...]
    form: ImageForm
    labels: tuple[int | None, ...] | None
    whole: bool = False
    kinds: tuple[str, ...] = ("image",)

    @property
    def names(self) -> tuple[str, ...]:
        """The model's only input."""
        return (self.form.spec.name,)

    @property
    def preprocessing(self) -> Preprocessing:
        """What is done to the pixels."""
        return self.form.preprocessing

    @property
    def count(self) -> int:
        """How many images there are."""
        return len(self.files)

    @property
    def origin(self) -> str:
        """The folder."""
        return f"{self.folder.absolute().name}/ ({self.count} images)"

    def digest(self, at: Path | None = None) -> str:
        """SHA-256 over the names and bytes of the files, or of those of the same names in another folder."""
        total = hashlib.sha256()
        for name in map(self.name, self.files):
            content = ((at or self.folder) / name).read_bytes()
            total.update(os.fsencode(name) + b"\0" + hashlib.sha256(content).digest())
        return total.hexdigest()

    def name(self, file: Path) -> str:
        """What a file is called within the folder, `cats/1.jpg`."""
        return relative_name(self.folder, file)

    def chunk(self, start: int, stop: int) -> dict[str, Array]:
        """Images start..stop. Raises UnusableInput that names a file that cannot be read."""
        return {self.form.spec.name: self.form.batch(map(read_image_file, self.files[start:stop]))}


def open_images(
    folder: Path, signature: Signature, preprocessing: Preprocessing | None, limit: int | None
) -> ImageInputs:
    """Open and check; see `open_inputs`."""
    files = list_images(folder)
    form = image_form(folder, signature, preprocessing, lambda: read_image_file(files[0]))
    chosen = files if limit is None else files[:limit]
    labels = read_labels(folder, [relative_name(folder, file) for file in chosen])
    return ImageInputs(folder, tuple(chosen), form, labels)


def image_form(
    path: Path, signature: Signature, preprocessing: Preprocessing | None, first: Callable[[], Image.Image]
) -> ImageForm:
    """What the images of `--inputs path` become for a model.

    Args:
        path: for messages.
        signature: of the model.
        preprocessing: None leaves pixels raw.
        first: reads the first image, whose size counts where the model leaves its own free.

    Raises:
        UnusableInput: the model does not take images.
    """
    if len(signature.inputs) != 1 or len(signature.inputs[0].shape) != 4:
        described = ", ".join(f"{spec.name} {list(spec.shape)}" for spec in signature.inputs)
        raise UnusableInput(
            f"--inputs {path}: images are for models with one 4-dimensional input, and this one takes {described}",
            "give an .npy or .npz instead",
        )
    spec = signature.inputs[0]
    if spec.numbers is None:
        raise UnusableInput(f"--inputs {path}: input {spec.name} takes {spec.dtype}, and images give plain numbers")
    channels_last = _channels_last(path, spec)
    height, width = (spec.shape[1], spec.shape[2]) if channels_last else (spec.shape[2], spec.shape[3])
    channels = spec.shape[3] if channels_last else spec.shape[1]
    if channels not in (None, 1, 3):
        raise UnusableInput(f"--inputs {path}: the model takes {channels} channels, and images have 1 or 3")
    recipe = preprocessing or RAW
    with first() as image:
        natural = final_size(image.width, image.height, recipe)
    return ImageForm(spec, channels_last, (height or natural[0], width or natural[1]), channels or 3, recipe)


def list_images(folder: Path) -> list[Path]:
    """The images of a folder and the folders in it, by their names within it. Raises UnusableInput where there are none.

    Folders that are links, or hidden, are passed over.
    """
    found: list[Path] = []

    def refuse(error: OSError) -> None:
        raise UnusableInput(f"--inputs {error.filename or folder}: cannot be read: {error.strerror}") from error

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files = (Path(place, name) for name in names)
        found += [file for file in files if file.suffix.lower() in SUFFIXES and file.is_file()]
    if not found:
        raise UnusableInput(f"--inputs {folder}: holds no image", f"known: {', '.join(sorted(SUFFIXES))}")
    return sorted(found, key=lambda file: relative_name(folder, file))


def relative_name(folder: Path, file: Path) -> str:
    """What a file is called within a folder, with slashes."""
    return file.relative_to(folder).as_posix()


def first_image_size(folder: Path, preprocessing: Preprocessing | None) -> tuple[int, int]:
    """(height, width) that the first image has after the preprocessing's resize."""
    with read_image_file(list_images(folder)[0]) as image:
        return final_size(image.width, image.height, preprocessing)


def read_image_file(file: Path) -> Image.Image:
    """An image, decoded; see `read_image`."""
    return read_image(file.open, file)


def read_image(opened: Callable[[str], IO[bytes]], file: Path) -> Image.Image:
    """An image, decoded: turned as its EXIF orientation says, 16 bits of grey scaled to 8.

    Args:
        opened: opens it with a mode; called once.
        file: what it is called.

    Raises:
        UnusableInput: no image, an unreasonably large one, or one whose values have no known scale; the message names it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what Pillow passes over, nobody here can do anything about
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with opened("rb") as content, Image.open(content) as image:
                image.load()
                return _eight_bits(file, ImageOps.exif_transpose(image))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise UnusableInput(f"{file}: not an image that can be read: {error}", "take it out of the folder") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnusableInput(f"{file}: unreasonably large: {error}", "take it out of the folder") from error


def _eight_bits(file: Path, image: Image.Image) -> Image.Image:
    """An image of 8 bits a channel; Pillow would cut off what is larger, and show it white."""
    if image.mode.startswith("I;16") or (image.mode == "I" and file.suffix.lower() == ".png"):
        grey = np.asarray(image).astype(np.float64) / 257
        return Image.fromarray(np.rint(grey).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise UnusableInput(
            f"{file}: its values of 32 bits have no known scale",
            "give the images as an .npy array, scaled as you train",
        )
    return image


def _channels_last(folder: Path, spec: TensorSpec) -> bool:
    """Where the channels are: as declared, else where the size is 1 or 3."""
    if spec.layout is not None:
        return spec.layout == "NHWC"
    first, last = spec.shape[1] in (1, 3), spec.shape[3] in (1, 3)
    if first != last:
        return last
    raise UnusableInput(
        f"--inputs {folder}: which dimension of input {spec.name} {list(spec.shape)} is the channels?",
        "give the images as an .npy array in the model's own order",
    )
