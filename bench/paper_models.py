"""The three models of the paper, in the formats that its conversions start from, under build/bench/paper/.

MobileNetV2 has trained weights (of the data folder). ResNet101V2, ResNet101 and InceptionV3 are the official architectures
of keras.applications and torchvision with seeded weights: no trained ones are at hand. Their BatchNorm statistics are taken
from pictures, and their classifier is centred and scaled on pictures so that labels are spread over the classes.
`python bench/paper_models.py`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
from common import DATA, WORK
from PIL import Image

FOLDER = WORK / "paper"
CALIBRATION = 64
RESIDUAL = 0.2
"""Residual branches start small, as trained ones are; at full size a hundred seeded layers amplify rounding to 3e-4."""
SHIFT = 1.0
"""BatchNorm's bias in front of InceptionV3's ReLUs: at 0, 48 seeded layers on end amplify rounding twelve times as much."""


def pictures(size: int) -> np.ndarray:
    """Calibration pictures, the last ones of the folder; values 0 to 255, (n, size, size, 3)."""
    files = sorted((DATA / "images" / "imagenet_val").glob("*.JPEG")) or sorted(
        (DATA / "images" / "imagenet_val").glob("*.jp*g")
    )
    return np.stack(
        [np.asarray(Image.open(file).convert("RGB").resize((size, size)), np.float32) for file in files[-CALIBRATION:]]
    )


def _spread(features: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """A seeded classifier whose logits have mean 0 and deviation 2 over the pictures: (features, classes) and bias."""
    weight = np.random.default_rng(0).normal(size=(features.shape[1], classes))
    logits = features @ weight
    weight *= 2 / logits.std(axis=0)
    return weight.astype(np.float32), -(features @ weight).mean(axis=0).astype(np.float32)


def keras_model(name: str, size: int) -> None:
    """A model of keras.applications as .keras and as SavedModel."""
    import keras

    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3))
    for layer in model.layers:
        if layer.name.endswith("_3_conv"):  # the end of a residual branch
            layer.kernel.assign(layer.kernel * RESIDUAL)
    inputs = pictures(size) / 127.5 - 1
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.5
            if name == "InceptionV3":
                layer.beta.assign(layer.beta + SHIFT)
    for _ in range(4):
        for start in range(0, len(inputs), 16):
            model(inputs[start : start + 16], training=True)
    dense = model.layers[-1]
    features = keras.Model(model.input, dense.input).predict(inputs, batch_size=8, verbose=0)
    dense.set_weights(_spread(features, 1000))
    model.save(FOLDER / f"{name}.keras")
    model.export(FOLDER / f"{name}_saved_model", verbose=False)


def torch_model(name: str, size: int) -> None:
    """A model of torchvision as TorchScript."""
    import declare_torchvision  # noqa: F401
    import torch
    import torchvision

    torch.manual_seed(0)
    options = {"aux_logits": True, "transform_input": True, "init_weights": True} if "inception" in name else {}
    model = getattr(torchvision.models, name)(weights=None, **options)
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    inputs = torch.tensor(((pictures(size) / 255 - mean) / std).transpose(0, 3, 1, 2), dtype=torch.float32)
    with torch.no_grad():
        for name_, module in model.named_modules():
            if name_.endswith("bn3"):  # the end of a residual branch
                module.weight.fill_(RESIDUAL)
        model.train()
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.eval()
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 0.5
                if "inception" in name:
                    module.bias.fill_(SHIFT)
        for _ in range(3):
            for start in range(0, len(inputs), 16):
                model(inputs[start : start + 16])
        model.eval()
        classifier, model.fc = model.fc, torch.nn.Identity()
        features = torch.cat([model(inputs[start : start + 8]) for start in range(0, len(inputs), 8)]).numpy()
        model.fc = classifier
        weight, bias = _spread(features, 1000)
        model.fc.weight.copy_(torch.tensor(weight.T))
        model.fc.bias.copy_(torch.tensor(bias))
        torch.jit.trace(model, inputs[:1]).save(FOLDER / f"{name}.pt")


def tflite_model(name: str) -> None:
    """A Keras model as float TFLite, by TFLiteConverter itself."""
    import keras
    import tensorflow as tf

    trained = DATA / "models" / "mobilenetv2_imagenet.keras"
    model = keras.models.load_model(trained if name == "MobileNetV2" else FOLDER / f"{name}.keras", compile=False)
    (FOLDER / f"{name}_float.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


def main(which: str) -> None:
    """Make one of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    if which.endswith("_float.tflite"):
        tflite_model(which.removesuffix("_float.tflite"))
        return
    if which == "MobileNetV2_saved_model":
        import keras

        keras.models.load_model(DATA / "models" / "mobilenetv2_imagenet.keras", compile=False).export(FOLDER / which)
        return
    {"R": keras_model, "I": keras_model}.get(which[0], torch_model)(which, 299 if "nception" in which else 224)


def ensure(path: Path) -> None:
    """Make one file or folder of FOLDER, where it is missing, and what it is made from; each in a process of its own."""
    if path.exists():
        return
    name = path.name
    if name.endswith("_float.tflite") and not name.startswith("MobileNetV2"):
        ensure(FOLDER / name.replace("_float.tflite", ".keras"))
    elif not name.startswith("MobileNetV2"):
        name = path.stem.removesuffix("_saved_model")
    subprocess.run([sys.executable, __file__, name], check=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        made = ("MobileNetV2_saved_model", "ResNet101V2.keras", "InceptionV3.keras", "resnet101.pt", "inception_v3.pt")
        for each in (*made, *(f"{name}_float.tflite" for name in ("MobileNetV2", "ResNet101V2", "InceptionV3"))):
            ensure(FOLDER / each)
