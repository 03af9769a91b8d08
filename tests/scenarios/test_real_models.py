"""Real models on real pictures, where they are present: converted, verified natively, and right about the pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import ROOT, safeconvert

DATA = ROOT.parent / "shared" / "data"

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not (DATA / "models").is_dir(), reason="the real models are not here"),
]


@dataclass(frozen=True)
class Case:
    """One conversion."""

    model: str
    target: str
    images: str
    preprocessing: str
    options: tuple[str, ...] = ()


CASES = (
    Case("mobilenetv2_imagenet.pt", "keras", "imagenet_val", "torchvision"),
    Case("mobilenetv2_imagenet.keras", "torch", "imagenet_val", "keras.mobilenet_v2"),
    Case("squeezenet11_imagenet.pt", "tflite", "imagenet_val", "torchvision"),
    Case("resnet8_cifar10.h5", "onnx", "cifar10", "raw"),
    Case("resnet20_cifar10.pt", "tf", "cifar10", "torchvision"),
    Case("mobilenetv1_025_imagenet_float.tflite", "onnx", "imagenet_val", "tflite.mobilenet"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.model}-{case.target}")
def test_a_real_model_is_verified_on_real_pictures(case: Case, tmp_path: Path) -> None:
    suffix = {"keras": ".keras", "torch": ".pt2", "tflite": ".tflite", "onnx": ".onnx", "tf": "_saved_model"}
    target = tmp_path / f"model{suffix[case.target]}"
    called = safeconvert(
        "convert", DATA / "models" / case.model, "--to", case.target, "-o", target,
        "--inputs", DATA / "images" / case.images, "--preprocessing", case.preprocessing, "--samples", "40", "--json",
    )  # fmt: skip
    assert called.code == 0, called.text
    figures = called.json["predicate"]["verification"]["source native vs target native"]
    assert figures["samples"] == 20 and figures["disagreements"] == 0 and figures["nonfinite"] == 0
    assert target.exists()
    assert safeconvert("check", called.json["certificate"]).code == 0


def test_another_model_of_the_same_shape_is_refused(tmp_path: Path) -> None:
    """MobileNetV2 with PyTorch's weights and with Keras' take the same pictures and are two models."""
    called = safeconvert(
        "verify", DATA / "models" / "mobilenetv2_imagenet.pt", DATA / "models" / "mobilenetv2_imagenet.keras",
        "--inputs", DATA / "images" / "imagenet_val", "--preprocessing", "torchvision", "--samples", "20", "--json",
        "--target-layout", "NCHW->NHWC",
    )  # fmt: skip
    assert called.code == 1, called.text
