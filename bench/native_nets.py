"""Small nets in PyTorch and Keras, exported by two exporters each, and observed by their own frameworks."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from safeconvert.adapter_api.intermediates import save_intermediates
from safeconvert.adapter_api.protocol import ConvertRequest, ModelRequest
from safeconvert.core.resources import data_folder
from safeconvert.core.signature import Signature
from safeconvert.workers._worker import load_adapter

FEEDS = 10
CALLS, ROWS = 3, 3
"""Calls on which a net is observed, and rows of each."""


@dataclass(frozen=True)
class NativeNet:
    """One net.

    Attributes:
        signature: its inputs and outputs.
        feeds: its inputs by name, `FEEDS` samples.
        forms: by exporter its ONNX form, the first of them the one that faults are put into.
        tensors: its inner tensors on the first calls, as `save_intermediates` gives them.
        outputs: by name, of all samples.
        folder: where the files are.
    """

    signature: Signature
    feeds: dict[str, np.ndarray]
    forms: dict[str, onnx.ModelProto]
    tensors: list[dict[str, Any]]
    outputs: dict[str, np.ndarray]
    folder: Path


def observed(framework: str, exporters: Sequence[str], path: Path, shape: tuple[int, ...]) -> NativeNet:
    """Load a model file, run and observe it, and export it."""
    folder = Path(tempfile.mkdtemp(prefix="net-"))
    request = ModelRequest(str(path), {"": (0, *shape)})
    model = _adapter(framework).load(request.to_json())
    signature = model.signature()
    (spec,) = signature.inputs
    feeds = {spec.name: np.random.default_rng(0).normal(size=(FEEDS, *spec.shape[1:])).astype(np.float32)}
    chunks = []
    for number in range(CALLS):
        files = {spec.name: str(folder / f"in-{number}.npy")}
        np.save(files[spec.name], feeds[spec.name][ROWS * number : ROWS * (number + 1)])
        chunks.append(files)
    forms = {}
    for name in exporters:
        target = folder / f"{name}.onnx"
        _adapter(name).convert(ConvertRequest(request, str(target), signature).to_json())
        forms[name] = onnx.load(target)
    return NativeNet(
        signature, feeds, forms, save_intermediates(model, chunks, str(folder)), model.predict(feeds), folder
    )


def _adapter(name: str) -> Any:
    return load_adapter(str(Path(data_folder("adapters")) / name))


def torch_nets() -> dict[str, Callable[[], NativeNet]]:
    """By name what makes the net."""

    def made(module: str, shape: tuple[int, ...]) -> NativeNet:
        import torch

        torch.manual_seed(5)
        net = _torch_module(module).eval()
        path = Path(tempfile.mkdtemp(prefix="net-")) / f"{module}.pt"
        torch.jit.trace(net, torch.randn(2, *shape)).save(str(path))
        return observed("torch", ("torch_onnx_script", "torch_onnx_dynamo"), path, shape)

    return {
        "torch cnn": lambda: made("cnn", (3, 12, 12)),
        "torch mlp": lambda: made("mlp", (12,)),
        "torch attention": lambda: made("attention", (6, 16)),
    }


def _torch_module(name: str) -> Any:
    import torch
    from torch import nn

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
            self.conv, self.out = nn.Conv2d(8, 8, 3, padding=1), nn.Linear(8 * 36, 5)
            self.norm.running_mean.normal_()
            self.norm.running_var.uniform_(0.5, 1.5)

        def forward(self, x: Any) -> Any:
            x = torch.relu(self.norm(self.stem(x)))
            x = torch.relu(self.conv(x) + x)
            return self.out(nn.functional.avg_pool2d(x, 2).flatten(1))

    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.q, self.k, self.v = nn.Linear(16, 16), nn.Linear(16, 16), nn.Linear(16, 16)
            self.norm, self.up, self.down = nn.LayerNorm(16), nn.Linear(16, 32), nn.Linear(32, 4)

        def forward(self, x: Any) -> Any:
            weights = torch.softmax(self.q(x) @ self.k(x).transpose(1, 2) / 4.0, -1)
            x = self.norm(x + weights @ self.v(x))
            return self.down(torch.tanh(self.up(x)))

    if name == "mlp":
        return nn.Sequential(
            nn.Linear(12, 20), nn.LeakyReLU(0.1), nn.Linear(20, 16), nn.ELU(), nn.Linear(16, 6), nn.Softmax(-1)
        )
    return Residual() if name == "cnn" else Attention()


def keras_nets() -> dict[str, Callable[[], NativeNet]]:
    """By name what makes the net."""

    def made(name: str, shape: tuple[int, ...]) -> NativeNet:
        import keras

        keras.utils.set_random_seed(5)
        x = entry = keras.Input(shape)
        layers = keras.layers
        if name == "cnn":
            x = layers.ReLU()(layers.Conv2D(8, 3, padding="same", bias_initializer="normal")(x))
            x = layers.ReLU()(layers.Add()([layers.Conv2D(8, 3, padding="same", bias_initializer="normal")(x), x]))
            x = layers.Flatten()(layers.AveragePooling2D(2)(x))
        else:
            x = layers.LeakyReLU(negative_slope=0.1)(layers.Dense(20, bias_initializer="normal")(x))
            x = layers.Dense(16, activation="tanh", bias_initializer="normal")(x)
        path = Path(tempfile.mkdtemp(prefix="net-")) / f"{name}.keras"
        keras.Model(entry, layers.Dense(5, bias_initializer="normal")(x)).save(path)
        return observed("keras", ("tf2onnx", "keras_export"), path, shape)

    return {"keras cnn": lambda: made("cnn", (12, 12, 3)), "keras mlp": lambda: made("mlp", (12,))}
