"""Operators that real converters get wrong without a word: none of them may end as verified with a wrong target."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from safeconvert.config import load_settings
from safeconvert.context import Context, open_context
from safeconvert.errors import ExitCode, NoVerdict, UnusableInput
from safeconvert.options import ConvertOptions
from safeconvert.pipeline import convert
from safeconvert.progress import Phases
from safeconvert.registry import adapters
from safeconvert.runtime.session import load_files
from safeconvert.verify.exchange import comparable_outputs

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
saved("pooled", [1, 8, 8, 2], tf.float32, lambda x: {"y": tf.nn.max_pool2d(x, 2, 3, "SAME")})


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
    torch.jit.trace(module, example).save(f"{folder}/{name}.pt")
    torch.export.save(torch.export.export(module, (example,)), f"{folder}/{name}.pt2")
norm = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3)).train()
torch.export.save(torch.export.export(norm, (torch.randn(4, 2, 5, 5),)), f"{folder}/training.pt2")
torch.jit.trace(norm, torch.randn(4, 2, 5, 5), check_trace=False).save(f"{folder}/training.pt")
"""
CASES = [
    ("floordiv", "onnx"), ("floormod", "onnx"), ("area", "onnx"), ("scatter", "onnx"), ("unstack", "tflite"),
    ("normalized", "tflite"), ("strided", "tflite"), ("pooled", "tflite"), ("mean.pt", "onnx"), ("mean.pt2", "onnx"), ("put.pt", "onnx"), ("put.pt2", "onnx"), ("training.pt", "onnx"), ("training.pt2", "onnx"),
]  # fmt: skip
SUFFIX = {"onnx": ".onnx", "tflite": ".tflite"}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    done = subprocess.run([sys.executable, "-c", _SCRIPT, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


@pytest.fixture(scope="module")
def context() -> Iterator[Context]:
    settings = load_settings()
    with open_context(replace(settings, limits=replace(settings.limits, routes=2)), Phases(), adapters()) as made:
        yield made


@pytest.mark.parametrize(("name", "target"), CASES)
def test_what_is_verified_is_right_and_what_is_wrong_is_refused(
    name: str, target: str, sources: Path, context: Context, tmp_path: Path
) -> None:
    output = tmp_path / f"made{SUFFIX[target]}"
    try:
        made = convert(context, ConvertOptions(sources / name, target, output, repair=False))
    except (NoVerdict, UnusableInput) as error:
        print(name, error)
        assert not output.exists()
        return
    print(name, made.exit_code.name, made.reason)
    assert output.exists() == (made.exit_code is ExitCode.VERIFIED)
    if made.exit_code is not ExitCode.VERIFIED:
        assert made.exit_code in (ExitCode.NOT_EQUIVALENT, ExitCode.NO_ROUTE, ExitCode.NO_VERDICT)
        return
    verification = made.decisive.verification
    assert verification is not None
    for chunk, ours, theirs in zip(
        made.source.data.chunks, made.source.outputs.outputs, verification.outputs.outputs, strict=True
    ):
        fed = load_files(chunk.arrays)
        if name.startswith("floor"):
            assert min(array.min() for array in fed.values()) < 0, "negative integers were never tried"
        left, right = comparable_outputs(verification.agreed, load_files(ours), load_files(theirs))
        for key in left:
            np.testing.assert_allclose(right[key], left[key], rtol=1e-3, atol=1e-4)
