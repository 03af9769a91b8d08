"""Operators that real converters get wrong without a word: none of them may end as verified with a wrong target."""

from __future__ import annotations

import subprocess
import sys
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
from safeconvert.workers.run import Run, open_context
from safeconvert.workers.session import load_files

pytestmark = pytest.mark.converters
_SCRIPT = """
import os, sys
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import tensorflow as tf, torch
folder = sys.argv[1]


def saved(name, shape, dtype, function):
    module = tf.Module()
    module.f = tf.function(function, input_signature=[tf.TensorSpec(shape, dtype, name="x")])
    tf.saved_model.save(module, f"{folder}/{name}", signatures=module.f)


saved("floordiv", [None, 6], tf.int32, lambda x: {"y": x // 4})
saved("floormod", [None, 6], tf.int32, lambda x: {"y": x % 4})
saved("area", [None, 6, 6, 2], tf.float32, lambda x: {"y": tf.compat.v1.image.resize_area(x, [4, 4])})
saved("scatter", [None, 3], tf.float32, lambda x: {"y": x + tf.scatter_nd([[1], [1], [2]], tf.reshape(x[0], [3, 1]) * [[1.0, 2.0, 3.0]], [5, 3])[1]})
saved("unstack", [1, 12], tf.float32, lambda x: {"y": tf.reshape(tf.concat(tf.unstack(tf.reshape(x, [1, 3, 4]), axis=2), axis=1), [1, 12])})
saved("normalized", [3, 5], tf.float32, lambda x: {"y": tf.nn.l2_normalize(x)})
saved("strided", [1, 8, 8, 2], tf.float32, lambda x: {"y": tf.nn.conv2d(x, tf.reshape(tf.range(2.0), [1, 1, 2, 1]), 3, "SAME")})


class Mean(torch.nn.Module):
    def forward(self, x):
        index = torch.tensor([[0, 1, 1, 2, 2, 2]]).expand(x.shape[0], -1)
        return torch.zeros(x.shape[0], 3).scatter_reduce(1, index, x, "mean", include_self=False)


class Put(torch.nn.Module):
    def forward(self, x):
        made = torch.zeros_like(x)
        return made.index_put((torch.tensor([0, 0, 1]),), x[:3], accumulate=True)


for name, module in (("mean", Mean()), ("put", Put())):
    example = torch.randn(4, 6)
    torch.export.save(torch.export.export(module, (example,)), f"{folder}/{name}.pt2")
norm = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3)).train()
torch.export.save(torch.export.export(norm, (torch.randn(4, 2, 5, 5),)), f"{folder}/training.pt2")
"""
CASES = [
    ("floordiv", "onnx", True), ("floormod", "onnx", True), ("area", "onnx", False), ("scatter", "onnx", True),
    ("unstack", "tflite", False), ("normalized", "tflite", False), ("strided", "tflite", False),
    ("mean.pt2", "onnx", True), ("put.pt2", "onnx", False), ("training.pt2", "onnx", True),
]  # fmt: skip
"""Source, target, and whether the converter is known to get it wrong (tf2onnx 1.17, torch 2.13)."""
SUFFIX = {"onnx": ".onnx", "tflite": ".tflite"}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    done = subprocess.run([sys.executable, "-c", _SCRIPT, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def running() -> Iterator[Run]:
    settings = load_settings()
    with open_context(replace(settings, limits=replace(settings.limits, routes=1)), Phases()) as made:
        yield made


@pytest.mark.parametrize(("name", "target", "wrong"), CASES)
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
    assert output.exists() == (made.exit_code is ExitCode.VERIFIED)
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
