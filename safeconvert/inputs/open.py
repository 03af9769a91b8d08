"""Open what `--inputs` names: images, arrays, tar shards, or columns of tables. Nothing is unpickled or extracted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from safeconvert.core.files import is_folder, is_there
from safeconvert.core.signature import Signature
from safeconvert.errors import UnusableInput
from safeconvert.inputs.arrays import open_arrays
from safeconvert.inputs.images import open_images
from safeconvert.inputs.interface import InputSet
from safeconvert.inputs.preprocessing import Preprocessing
from safeconvert.inputs.records import Records, open_records
from safeconvert.inputs.shards import TABLES, shard_files
from safeconvert.inputs.tar_shards import TarShards


def open_inputs(
    path: Path,
    signature: Signature,
    preprocessing: Preprocessing | None,
    limit: int | None,
    nonfinite: bool = False,
    tables: Callable[[Sequence[Path]], Records] | None = None,
) -> InputSet:
    """The samples of a file or folder, checked against a model's inputs.

    Args:
        path: a folder of images, `.npy` or `.npz`; a WebDataset shard (`.tar`), a Parquet or Arrow file, or a folder of such.
        signature: of the source.
        preprocessing: for images; None leaves their pixels raw.
        limit: take at most so many samples, the first ones; None for all.
        nonfinite: arrays may hold NaN and Inf.
        tables: reads Parquet and Arrow files; None where nobody does.

    Raises:
        UnusableInput: nothing there, damaged, or not what the model takes; the message says what was expected.
    """
    if not is_there(path):
        raise UnusableInput(f"--inputs {path}: no such file or folder")
    files = shard_files(path)
    if files:
        records = _tables(path, files, tables) if files[0].suffix in TABLES else TarShards(files, limit)
        return open_records(path, records, signature, preprocessing, limit, nonfinite)
    if is_folder(path):
        return open_images(path, signature, preprocessing, limit)
    if preprocessing is not None and preprocessing.name != "raw":
        raise UnusableInput(
            f"--preprocessing {preprocessing.name}: applies to a folder of images, and {path} is an array",
            "leave it out: arrays are fed as they are",
        )
    return open_arrays(path, signature, limit, nonfinite)


def _tables(path: Path, files: Sequence[Path], tables: Callable[[Sequence[Path]], Records] | None) -> Records:
    if tables is None:
        raise UnusableInput(
            f"--inputs {path}: Parquet and Arrow files are read in workers only", "give an .npy or .tar"
        )
    return tables(files)
