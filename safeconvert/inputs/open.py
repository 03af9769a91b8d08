"""Open what `--inputs` names: images, arrays, or tar shards. Nothing is unpickled or extracted."""

from __future__ import annotations

from pathlib import Path

from safeconvert.core.files import is_folder, is_there
from safeconvert.core.signature import Signature
from safeconvert.errors import UnusableInput
from safeconvert.inputs.arrays import open_arrays
from safeconvert.inputs.images import open_images
from safeconvert.inputs.interface import InputSet
from safeconvert.inputs.preprocessing import Preprocessing
from safeconvert.inputs.records import open_records
from safeconvert.inputs.shards import shard_files
from safeconvert.inputs.tar_shards import TarShards


def open_inputs(
    path: Path, signature: Signature, preprocessing: Preprocessing | None, limit: int | None, nonfinite: bool = False
) -> InputSet:
    """The samples of a file or folder, checked against a model's inputs.

    Args:
        path: a folder of images, `.npy` or `.npz`; a WebDataset shard (`.tar`), or a folder of such.
        signature: of the source.
        preprocessing: for images; None leaves their pixels raw.
        limit: take at most so many samples, the first ones; None for all.
        nonfinite: arrays may hold NaN and Inf.

    Raises:
        UnusableInput: nothing there, damaged, or not what the model takes; the message says what was expected.
    """
    if not is_there(path):
        raise UnusableInput(f"--inputs {path}: no such file or folder")
    files = shard_files(path)
    if files:
        return open_records(path, TarShards(files, limit), signature, preprocessing, limit, nonfinite)
    if is_folder(path):
        return open_images(path, signature, preprocessing, limit)
    if preprocessing is not None and preprocessing.name != "raw":
        raise UnusableInput(
            f"--preprocessing {preprocessing.name}: applies to a folder of images, and {path} is an array",
            "leave it out: arrays are fed as they are",
        )
    return open_arrays(path, signature, limit, nonfinite)
