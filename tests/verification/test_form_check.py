"""An ONNX form that is beyond tolerance in float32 is the model where float64 shows it to be; nothing else is."""

from __future__ import annotations

from collections.abc import Iterator

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
from safeconvert.verification.form_check import against_export, as_another_form
from safeconvert.verification.types import Counted, ExporterCheck
from safeconvert.workers.run import Run, open_run
from tests.onnx_models import model

pytestmark = pytest.mark.converters
SIGNATURE = Signature((TensorSpec("x", (None, 5, 6), "float32"),), (TensorSpec("y", (None, 5, 6), "float32"),))
COUNTED = Counted(np.arange(4, 8), np.arange(0))
FAR = 2.0**12
"""Added and taken away again, it leaves rounding beyond the tolerance of 1e-4."""


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    with open_run(load_settings(), Phases()) as made:
        yield made


def inputs() -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, size=(8, 5, 6)).astype(np.float32)


def evaluated(run: Run, outputs: np.ndarray) -> tuple[Evaluated, list[Chunk]]:
    """A native model that gave these, and what it was fed."""
    folder = run.kept("inputs")
    fed = saved(folder, "in", {"x": inputs()})
    return Evaluated(SIGNATURE, (saved(folder, "out", {"y": outputs}),)), [Chunk(0, 8, fed)]


def form(run: Run, factor: float, shift: float) -> Export:
    """(factor·x + shift) - shift."""
    constants = {"factor": np.float32([factor]), "shift": np.float32([shift])}
    nodes = [
        helper.make_node("Mul", ["x", "factor"], ["scaled"]),
        helper.make_node("Add", ["scaled", "shift"], ["raised"]),
        helper.make_node("Sub", ["raised", "shift"], ["y"]),
    ]
    path = run.kept("onnx") / "m.onnx"
    onnx.save(model(nodes, {"x": ["N", 5, 6]}, ["y"], constants), path)
    return Export("exporter", path, "")


def checked(run: Run, exported: Export, outputs: np.ndarray) -> ExporterCheck:
    native, chunks = evaluated(run, outputs)
    return against_export(run, native, exported, chunks, VerifySettings(), COUNTED, "source")


def test_rounding_of_the_runtime_is_not_the_form_s(run: Run) -> None:
    check = checked(run, form(run, 1.0, FAR), inputs())
    assert check.verdict is ExporterVerdict.EQUAL and not check.reason
    assert check.figures is not None and check.figures.equal
    assert check.figures.rounded == check.figures.beyond_tolerance > 0
    assert check.figures.exact_relative < 1e-6 < check.figures.relative


@pytest.mark.parametrize(("factor", "shift"), [(1.0003, 0.0), (1.0003, FAR), (1.0, 2.0**15)])
def test_another_function_or_more_than_rounding_is(run: Run, factor: float, shift: float) -> None:
    check = checked(run, form(run, factor, shift), inputs())
    assert check.verdict is ExporterVerdict.DIFFERENT
    assert "distances on 4" in check.reason


def beside(run: Run, factor: float, other: float) -> ExporterCheck:
    """What a model that rounds says of a form that does not, beside another form that rounds as it does."""
    rounding = ((other * inputs() + np.float32(FAR)) - np.float32(FAR)).astype(np.float32)
    given, shown = form(run, factor, 0.0), form(run, other, FAR)
    _, chunks = evaluated(run, rounding)
    checks = checked(run, given, rounding), checked(run, shown, rounding)
    assert [check.verdict for check in checks] == [ExporterVerdict.DIFFERENT, ExporterVerdict.EQUAL]
    forms = (given, checks[0]), (shown, checks[1])
    return as_another_form(run, forms, chunks, "target", VerifySettings())


def test_a_form_is_the_model_where_it_is_in_float64_what_another_is_that_is(run: Run) -> None:
    found = beside(run, 1.0, 1.0)
    assert found.verdict is ExporterVerdict.EQUAL
    assert found.figures is not None and found.figures.rounded > 0


def test_a_form_that_is_near_the_other_is_not(run: Run) -> None:
    assert beside(run, 1.00003, 1.0).verdict is ExporterVerdict.DIFFERENT
