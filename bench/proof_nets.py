"""Five small nets in every format, seeded: a CNN, an MLP, a residual net, a transformer's encoder, and a recurrent net.

    python bench/proof_nets.py NET FORMAT

writes one file; `ensure` calls this, so that TensorFlow and PyTorch are each in a process of their own. Batches are free.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from common import WORK

FOLDER = WORK / "proof_nets"
SHAPES = {"cnn": (8, 8, 1), "mlp": (12,), "residual": (12, 12, 3), "encoder": (6, 16), "recurrent": (7, 5)}
"""By net the shape of a sample, channels last."""
SCRIPT = "torchscript"
"""Beside the formats of `SUFFIX`, one that readers alone are tried on."""
SUFFIX = {"torch": ".pt2", "keras": ".keras", "tf": "_saved_model", "tflite": ".tflite", "onnx": ".onnx"}


def ensure(net: str, file_format: str) -> Path:
    """The file of a net in a format, made where it is missing."""
    path = _path(net, file_format)
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, __file__, net, file_format], check=True)
    return path


def _torch_net(name: str) -> Any:
    import torch
    from torch import nn

    def norm(channels: int) -> Any:
        made = nn.BatchNorm2d(channels)
        made.running_mean.normal_()
        made.running_var.uniform_(0.5, 1.5)
        return made

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.first = nn.Conv2d(3, 8, 3, padding=1, bias=False), norm(8)
            self.wide, self.second = nn.Conv2d(8, 16, 3, stride=2, padding=1), norm(16)
            self.short, self.out = nn.Conv2d(8, 16, 1, stride=2), nn.Linear(16 * 9, 5)

        def forward(self, x: Any) -> Any:
            x = torch.relu(self.first(self.stem(x)))
            x = torch.relu(self.second(self.wide(x)) + self.short(x))
            return self.out(nn.functional.max_pool2d(x, 2).flatten(1))

    class Encoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.q, self.k, self.v, self.o = (nn.Linear(16, 16) for _ in range(4))
            self.first, self.second = nn.LayerNorm(16), nn.LayerNorm(16)
            self.up, self.down, self.out = nn.Linear(16, 32), nn.Linear(32, 16), nn.Linear(16, 4)

        def forward(self, x: Any) -> Any:
            q, k, v = (layer(x).reshape(-1, 6, 2, 8).transpose(1, 2) for layer in (self.q, self.k, self.v))
            weights = torch.softmax(q @ k.transpose(2, 3) / 8**0.5, -1)
            x = self.first(x + self.o((weights @ v).transpose(1, 2).reshape(-1, 6, 16)))
            x = self.second(x + self.down(nn.functional.gelu(self.up(x))))
            return self.out(x.mean(1))

    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lstm, self.gru, self.out = (
                nn.LSTM(5, 6, batch_first=True),
                nn.GRU(6, 4, batch_first=True),
                nn.Linear(4, 3),
            )

        def forward(self, x: Any) -> Any:
            return self.out(self.gru(self.lstm(x)[0])[0][:, -1])

    torch.manual_seed(3)
    plain = {
        "cnn": lambda: nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1), norm(16), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1, stride=2), norm(32), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
        ),
        "mlp": lambda: nn.Sequential(nn.Linear(12, 20), nn.ReLU(), nn.Linear(20, 16), nn.Tanh(), nn.Linear(16, 6), nn.Softmax(-1)),
        "residual": Residual, "encoder": Encoder, "recurrent": Recurrent,
    }  # fmt: skip
    return plain[name]().eval()


def _path(net: str, file_format: str) -> Path:
    return FOLDER / f"{net}{'.pt' if file_format == SCRIPT else SUFFIX[file_format]}"


def channels_first(shape: tuple[int, ...]) -> tuple[int, ...]:
    """A sample's shape as PyTorch has it."""
    return (shape[-1], *shape[:-1]) if len(shape) == 3 else shape


def _save_torch(net: str, path: Path) -> None:
    import torch

    shape = SHAPES[net]
    module = _torch_net(net)
    example = (torch.randn(2, *channels_first(shape)),)
    if path.suffix == ".pt":
        torch.jit.trace(module, example).save(str(path))
        return
    if path.suffix == ".onnx":
        torch.onnx.export(
            module,
            example,
            str(path),
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            external_data=False,
        )
        return
    torch.export.save(torch.export.export(module, example, dynamic_shapes=({0: torch.export.Dim("batch")},)), str(path))


def _keras_net(net: str, unroll: bool) -> Any:
    import keras
    from keras import layers

    keras.utils.set_random_seed(3)
    x = entry = keras.Input(SHAPES[net])
    biased = {"bias_initializer": "normal"}

    def norm(x: Any) -> Any:
        return layers.BatchNormalization(moving_mean_initializer="normal", beta_initializer="normal")(x)

    if net == "cnn":
        x = layers.ReLU()(norm(layers.Conv2D(16, 3, padding="same", **biased)(x)))
        x = layers.ReLU()(norm(layers.Conv2D(32, 3, strides=2, padding="same", **biased)(x)))
        x = layers.Dense(10, **biased)(layers.GlobalAveragePooling2D()(x))
    elif net == "mlp":
        x = layers.Dense(16, activation="tanh", **biased)(layers.Dense(20, activation="relu", **biased)(x))
        x = layers.Dense(6, activation="softmax", **biased)(x)
    elif net == "residual":
        x = layers.ReLU()(norm(layers.Conv2D(8, 3, padding="same", use_bias=False)(x)))
        wide = norm(layers.Conv2D(16, 3, strides=2, padding="same", **biased)(x))
        x = layers.ReLU()(layers.Add()([wide, layers.Conv2D(16, 1, strides=2, **biased)(x)]))
        x = layers.Dense(5, **biased)(layers.Flatten()(layers.MaxPooling2D(2)(x)))
    elif net == "encoder":
        x = layers.LayerNormalization()(
            layers.Add()([x, layers.MultiHeadAttention(2, 8, bias_initializer="normal")(x, x)])
        )
        dense = layers.Dense(16, **biased)(layers.Dense(32, activation="gelu", **biased)(x))
        x = layers.LayerNormalization()(layers.Add()([x, dense]))
        x = layers.Dense(4, **biased)(layers.GlobalAveragePooling1D()(x))
    else:
        options = {"bias_initializer": "normal", "unroll": unroll}
        x = layers.GRU(4, **options)(layers.LSTM(6, return_sequences=True, **options)(x))
        x = layers.Dense(3, **biased)(x)
    return keras.Model(entry, x)


def _save_keras(net: str, path: Path) -> None:
    model = _keras_net(net, unroll=path.suffix == ".tflite")  # TFLite has no lists of tensors
    if path.suffix == ".keras":
        model.save(path)
    elif path.suffix == ".tflite":
        import tensorflow as tf

        path.write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    else:
        model.export(str(path), verbose=False)


if __name__ == "__main__":
    name, wanted = sys.argv[1:]
    (_save_torch if wanted in ("torch", SCRIPT, "onnx") else _save_keras)(name, _path(name, wanted))
