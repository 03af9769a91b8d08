"""Operators that real converters get wrong without a word: none of them may end as verified with a wrong target."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from safeconvert.compare.exchange import comparable_outputs
from safeconvert.config.options import ConvertOptions
from safeconvert.config.settings import load_settings
from safeconvert.core.progress import Phases
from safeconvert.errors import ExitCode, NoVerdict
from safeconvert.pipeline.convert import convert
from safeconvert.workers.run import Run, open_run
from safeconvert.workers.session import load_files
from tests.program import KERAS, TORCH, run_program
from tests.slow import first_of_every

pytestmark = pytest.mark.converters
PROGRAMS = Path(__file__).parent / "programs"
CASES = [
    ("floordiv", "onnx", False), ("floormod", "onnx", False), ("area", "onnx", False), ("scatter", "onnx", True),
    ("unstack", "tflite", False), ("normalized", "tflite", False), ("strided", "tflite", False),
    ("mean.pt2", "onnx", True), ("put.pt2", "onnx", False), ("training.pt2", "onnx", True),
]  # fmt: skip
"""Source, target, and whether the converter is known to get it wrong (tf2onnx 1.17, torch 2.13)."""
SUFFIX = {"onnx": ".onnx", "tflite": ".tflite"}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    run_program(PROGRAMS / "silent_tensorflow.py", folder, modules=KERAS)
    run_program(PROGRAMS / "silent_torch.py", folder, modules=TORCH)
    return folder


@pytest.fixture(scope="module")
def running() -> Iterator[Run]:
    settings = load_settings()
    with open_run(replace(settings, limits=replace(settings.limits, routes=1)), Phases()) as made:
        yield made


@pytest.mark.parametrize(("name", "target", "wrong"), first_of_every(4, CASES))
def test_what_is_verified_is_right_and_what_is_wrong_is_refused(
    name: str, target: str, wrong: bool, sources: Path, running: Run, tmp_path: Path
) -> None:
    output = tmp_path / f"made{SUFFIX[target]}"
    route = "torch_onnx_dynamo" if name.endswith(".pt2") else ""
    try:
        made = convert(running, ConvertOptions(sources / name, target, output, route=route, repair=False))
    except NoVerdict:
        assert not output.exists()
        return
    assert not output.exists(), "the pipeline publishes nothing by itself"
    if made.exit_code is not ExitCode.VERIFIED:
        assert made.exit_code in (ExitCode.NOT_EQUIVALENT, ExitCode.NO_ROUTE, ExitCode.NO_VERDICT)
        return
    assert not wrong, f"{name} is right now: fixed upstream"
    verification = made.decisive.verification
    assert verification is not None
    for chunk, ours, theirs in zip(
        made.source.data.chunks, made.source.outputs.outputs, verification.outputs.outputs, strict=True
    ):
        fed = load_files(chunk.arrays)
        if name.startswith("floor"):
            assert min(array.min() for array in fed.values()) < 0, "negative integers were never tried"
        left, right = comparable_outputs(verification.contract, load_files(ours), load_files(theirs))
        for key in left:
            np.testing.assert_allclose(right[key], left[key], rtol=1e-3, atol=1e-4)
