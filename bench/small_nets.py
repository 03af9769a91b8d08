"""The nets of `batch.py`: `python bench/small_nets.py FOLDER COUNT` makes `NUMBER.pt`, `.keras` and `.onnx` of each number."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
COMMANDS = {"torch2onnx": (".pt", ".onnx"), "keras2tflite": (".keras", ".tflite"), "onnx2keras": (".onnx", ".keras")}
"""By pair of formats, the suffixes of its source and its target."""
SIZE = 32
"""Pixels."""


def main(folder: Path, count: int) -> None:
    """Write what is not there yet."""
    (folder / "converted").mkdir(parents=True, exist_ok=True)
    for number in range(count):
        if not (folder / f"{number}.onnx").exists():
            _torch(folder, number)
            _keras(folder, number)


def _torch(folder: Path, number: int) -> None:
    import torch

    torch.manual_seed(number)
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(), torch.nn.Linear(8, 10),
    ).eval()  # fmt: skip
    image = torch.zeros(2, 3, SIZE, SIZE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.trace(net, image).save(str(folder / f"{number}.pt"))
        torch.onnx.export(
            net,
            (image,),
            folder / f"{number}.onnx",
            dynamo=False,
            input_names=["image"],
            dynamic_axes={"image": {0: "batch"}},
        )


def _keras(folder: Path, number: int) -> None:
    import keras

    keras.utils.set_random_seed(number)
    layers = keras.layers
    net = keras.Sequential([
        keras.Input((SIZE, SIZE, 3)), layers.Conv2D(8, 3), layers.BatchNormalization(), layers.ReLU(),
        layers.GlobalAveragePooling2D(), layers.Dense(10),
    ])  # fmt: skip
    net.save(folder / f"{number}.keras")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
