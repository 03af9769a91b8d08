"""True labels of given inputs: `labels.csv` in a folder of images (file,label), or beside an array (row,label; rows from 0)."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from safeconvert.errors import UnusableInput

LABELS = "labels.csv"


def read_labels(folder: Path, names: Sequence[str]) -> tuple[int | None, ...] | None:
    """The label of each sample, None for one that the file does not name; None where the folder holds no such file.

    Args:
        folder: that may hold it.
        names: of the samples, as its first column has them.

    Raises:
        UnusableInput: it cannot be read, or a line after the first is not two columns of which the second is a whole number.
    """
    path = folder / LABELS
    if not path.is_file():
        return None
    known: dict[str, int] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for number, row in enumerate(csv.reader(file)):
                label = re.fullmatch(r"-?[0-9]{1,18}", row[1].strip()) if len(row) >= 2 else None
                if label is not None:
                    known[row[0].strip()] = int(label[0])
                elif row and number > 0:
                    raise UnusableInput(f"{path}: line {number + 1} is not file,label")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnusableInput(f"{path}: cannot be read: {error}") from error
    return tuple(known.get(name) for name in names)
