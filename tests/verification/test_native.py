"""What is said of an ONNX form counts the held-out inputs; what was made up beside given ones counts for whether it is equal, and apart."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from safeconvert.compare.settings import VerifySettings
from safeconvert.config.settings import load_settings
from safeconvert.conversion.models import Evaluated, Export
from safeconvert.core.faults import ExporterVerdict
from safeconvert.core.progress import Phases
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.inputs.store import Chunk, saved
from safeconvert.verification.cross_pairs import cross_pairs
from safeconvert.verification.form_check import against_export
from safeconvert.verification.native import unchanged_contract
from safeconvert.verification.types import Counted
from safeconvert.workers.run import Run, open_run
from tests.onnx_models import model

pytestmark = pytest.mark.converters
SIGNATURE = Signature((TensorSpec("x", (None, 3), "float32"),), (TensorSpec("y", (None, 3), "float32"),))
HELD_OUT, JOINED = np.array([1, 3]), np.array([6, 7])
"""Of four given samples and four that were made up."""


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with open_run(load_settings(), Phases()) as made:
        yield made


def evaluated(run: Run, off: int) -> tuple[Evaluated, list[Chunk]]:
    """A native model that doubles its input, but for one sample, and what it is fed."""
    inputs = np.arange(24, dtype=np.float32).reshape(8, 3)
    outputs = 2 * inputs
    outputs[off] += 1
    chunks, files = [], []
    for start in (0, 4):
        folder = run.kept("inputs")
        chunks.append(Chunk(start, start + 4, saved(folder, "in", {"x": inputs[start : start + 4]})))
        files.append(saved(folder, "out", {"y": outputs[start : start + 4]}))
    return Evaluated(SIGNATURE, tuple(files)), chunks


def exported(run: Run) -> Export:
    path = run.kept("onnx") / "m.onnx"
    onnx.save(model([helper.make_node("Add", ["x", "x"], ["y"])], {"x": ["N", 3]}, ["y"]), path)
    return Export("exporter", path, "")


@pytest.mark.parametrize(
    ("off", "verdict", "words"),
    [
        (0, ExporterVerdict.EQUAL, ""),  # a sample that steers
        (3, ExporterVerdict.DIFFERENT, "differ on 0 of 2 inputs"),
        (6, ExporterVerdict.DIFFERENT, "differ on 0 of 2 made-up inputs"),
    ],
)
def test_an_onnx_form_is_counted_on_held_out_inputs(run: Run, off: int, verdict: ExporterVerdict, words: str) -> None:
    native, chunks = evaluated(run, off)
    settings = VerifySettings()
    check = against_export(run, native, exported(run), chunks, settings, Counted(HELD_OUT, JOINED), "source")
    assert check.figures is not None and check.made_up is not None
    assert (check.figures.samples, check.made_up.samples) == (2, 2)
    assert (check.figures.max_abs, check.made_up.max_abs) == (float(off in HELD_OUT), float(off in JOINED))
    assert check.verdict is verdict and words in check.reason
    crossing = cross_pairs(*_pair(native, check, chunks), settings)
    assert {name: (figures.samples, figures.max_abs) for name, figures in crossing.items()} == {
        "source ONNX vs target ONNX": (2, 0.0),
        "source native vs target ONNX": (2, float(off in HELD_OUT)),
        "source ONNX vs target native": (2, float(off in HELD_OUT)),
    }


def _pair(native: Evaluated, check: Any, chunks: list[Chunk]) -> tuple[Any, Any, Any]:
    """Source and target are the same model here."""
    source = SimpleNamespace(outputs=native, data=SimpleNamespace(chunks=tuple(chunks)), held_out=HELD_OUT)
    target = SimpleNamespace(outputs=native, exporter=check, contract=unchanged_contract(SIGNATURE, SIGNATURE))
    return source, target, check
