"""Rows of Parquet and Arrow files, for the host: a damaged one ends this process, and not the host's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.inputs import columns


def describe_tables(paths: Sequence[str], target: str) -> dict[str, Any]:
    """What the tables are (`columns.Table`); their labels, where they have any, go to the file `target`."""
    files = [Path(path) for path in paths]
    table = columns.describe(files)
    if table.label:
        np.save(target, columns.labels(files), allow_pickle=False)
    return asdict(table)


def table_rows(paths: Sequence[str], table: dict[str, Any], start: int, stop: int, target: str) -> list[str]:
    """Write rows start..stop to `.npy` files named after `target`: an array a column, or the bytes of images and where each ends."""
    files = [Path(path) for path in paths]
    described = columns.Table(tuple(table["rows"]), tuple(table["fields"]), table["images"], table["label"])
    if described.images:
        images = columns.read_images(files, described, start, stop)
        found: list[Any] = [
            np.frombuffer(b"".join(images), np.uint8),
            np.cumsum([len(image) for image in images], dtype=np.int64),
        ]
    else:
        found = list(columns.read_arrays(files, described, start, stop).values())
    written = [f"{target}-{index}.npy" for index in range(len(found))]
    for path, array in zip(written, found, strict=True):
        np.save(path, array, allow_pickle=False)
    return written
