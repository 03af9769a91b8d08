"""Which outputs took more than one value everywhere: also where their sizes differ from call to call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from safeconvert.conversion.models import Evaluated
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.inputs.store import Chunk
from safeconvert.verification.output_elements import output_elements

SIGNATURE = Signature((), (TensorSpec("y", (None, 2), "float32"),))
SIZED = "every element of output y, whose size differs from call to call"


def elements(folder: Path, calls: Sequence[object]) -> tuple[tuple[str, ...], frozenset[str]]:
    files = []
    for number, value in enumerate(calls):
        files.append({"y": folder / f"{number}.npy"})
        np.save(files[-1]["y"], np.asarray(value, np.float32))
    chunks = [Chunk(number, number + 1, {}, whole=True) for number in range(len(calls))]
    return output_elements(chunks, Evaluated(SIGNATURE, tuple(files)), np.arange(len(calls)), [])


@pytest.mark.parametrize(
    ("calls", "item", "exercised"),
    [
        ([[[1, 2]], [[3, 4]]], "every element of output y", True),
        ([[[1, 2]], [[3, 2]]], "every element of output y (1 of 2 are constant)", False),
        ([[[1, 2], [1, 3]], [[5, 4]], np.zeros((0, 2))], SIZED, True),
        ([[[1, 2], [5, 2]], [[4, 2]]], f"{SIZED} (1 of 2 are constant)", False),
        ([[[7, 7], [7, 7]], [[7, 7]]], f"{SIZED} (2 of 2 are constant)", False),
        ([[1, 2, 3], [[4, 5]]], SIZED, True),
        ([np.zeros((0, 2)), np.zeros((0, 2))], "every element of output y", True),
    ],
)
def test_elements_by_the_sizes_that_they_have(calls: list[object], item: str, exercised: bool, tmp_path: Path) -> None:
    assert elements(tmp_path, calls) == ((item,), frozenset([item] if exercised else ()))
