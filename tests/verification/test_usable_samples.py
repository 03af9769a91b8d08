"""Which samples count, by what the source gives for them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from safeconvert.conversion.models import Evaluated
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.inputs.store import Chunk
from safeconvert.verification.usable_samples import declared_samples


@pytest.mark.parametrize(("given", "kept"), [((3, 2), [1]), ((2, 3), [0, 1])])
def test_made_up_inputs_that_ask_for_other_sizes_than_are_declared_do_not_count(
    given: tuple[int, int], kept: list[int], tmp_path: Path
) -> None:
    files = []
    for number, shape in enumerate((given, (2, 3), (3, 2))):
        np.save(tmp_path / f"{number}.npy", np.zeros(shape))
        files.append({"y": tmp_path / f"{number}.npy"})
    chunks = [Chunk(number, number + 1, {}, whole=True) for number in range(2)]
    outputs = Evaluated(Signature((), (TensorSpec("y", (3, None), "float32"),)), tuple(files[1:]))
    assert declared_samples(outputs, chunks, files[:1]).tolist() == kept
