"""The models of the zoo bench, made under build/bench/zoo/: `python bench/zoo_models.py NAME FILE`.

Official architectures of torchvision and keras.applications, and three sequence models of `sequence_models`. Weights are
seeded; what architectures begin with as zeros or ones (biases, norms, layer scales) is drawn too, BatchNorm statistics come
from pictures, and a last dense layer is scaled and centred on pictures, so that every weight matters to the labels.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import sequence_models
from paper_models import pictures

TORCHVISION = (
    "alexnet", "vgg11", "squeezenet1_1", "resnet18", "googlenet", "densenet121", "mnasnet1_0", "inception_v3",
    "shufflenet_v2_x1_0", "efficientnet_b0", "regnet_y_400mf", "mobilenet_v3_small", "convnext_tiny", "swin_t", "vit_b_32",
)  # fmt: skip
APPLICATIONS = (
    "MobileNetV3Small", "EfficientNetB0", "EfficientNetV2B0", "ConvNeXtTiny", "DenseNet121", "NASNetMobile", "ResNet50V2",
    "Xception", "VGG16", "InceptionV3",
)  # fmt: skip
SEQUENCES = ("bert", "lstm", "gpt")
CALIBRATION = 32
# Of a score's mean: where scores spread less, a classifier that spreads them amplifies float32's rounding.
LEAST_SPREAD = 0.2
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def size_of(name: str) -> int:
    """Pixels that a model of pictures takes."""
    return 299 if name in ("inception_v3", "InceptionV3", "Xception") else 224


def redrawn(name: str, value: np.ndarray, random: np.random.Generator, shifted: bool) -> np.ndarray | None:
    """Another value for a parameter that is constant, which would matter little; None where it is none."""
    if value.size < 2 or value.std() > 0 or "moving" in name or "running" in name:
        return None
    if value.flat[0] == 1:
        return random.uniform(0.7, 1.3, value.shape)
    if value.flat[0] != 0:  # layer scales of 1e-6 switch their block off
        return random.uniform(0.1, 0.3, value.shape)
    shift = 1.0 if shifted else 0.0  # BatchNorm's, so that ReLUs stay mostly linear: see paper_models.SHIFT
    return shift + 0.05 * random.normal(size=value.shape)


def torch_model(name: str, file: str) -> None:
    """A model of torchvision as TorchScript."""
    import declare_torchvision  # noqa: F401
    import torch
    import torchvision

    torch.manual_seed(0)
    random = np.random.default_rng(0)
    own = (
        {"aux_logits": True, "transform_input": True, "init_weights": True}
        if name in ("googlenet", "inception_v3")
        else {}
    )
    model = getattr(torchvision.models, name)(weights=None, **own)
    scaled = (pictures(size_of(name))[:CALIBRATION] / 255 - MEAN) / STD
    inputs = torch.tensor(scaled.transpose(0, 3, 1, 2), dtype=torch.float32)
    with torch.no_grad():
        norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm2d)]
        shifts = {id(norm.bias) for norm in norms}
        for parameter_name, parameter in model.named_parameters():
            value = redrawn(parameter_name, parameter.numpy(), random, id(parameter) in shifts)
            if value is not None:
                parameter.copy_(torch.tensor(value))
        if norms:
            model.train()
            for module in model.modules():
                if isinstance(module, torch.nn.Dropout):
                    module.eval()
            for norm in norms:
                norm.momentum = None  # the mean over all batches
            for _ in range(2):
                for start in range(0, len(inputs), 16):
                    model(inputs[start : start + 16])
        model.eval()
        heads = [
            module for module in model.modules() if isinstance(module, torch.nn.Linear) and module.out_features == 1000
        ]
        if heads:
            head = heads[-1]
            scores = torch.cat([model(inputs[start : start + 8]) for start in range(0, len(inputs), 8)])
            scale = 2 / torch.maximum(scores.std(0), LEAST_SPREAD * scores.mean(0).abs())
            head.weight.mul_(scale[:, None])
            head.bias.copy_((head.bias - scores.mean(0)) * scale)
        torch.jit.trace(model, inputs[:1]).save(file)


def keras_model(name: str, file: str) -> None:
    """A model of keras.applications as `.keras`."""
    import keras

    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    size = size_of(name)
    model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3))
    rescales = any(isinstance(layer, keras.layers.Rescaling) for layer in model.layers)
    inputs = pictures(size)[:CALIBRATION] if rescales else pictures(size)[:CALIBRATION] / 127.5 - 1
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    shifts = {id(norm.beta) for norm in norms}
    for weight in model.weights:
        value = redrawn(weight.path, weight.numpy(), random, id(weight) in shifts)
        if value is not None:
            weight.assign(value)
    if not any("Normalization" in type(layer).__name__ for layer in model._flatten_layers()):
        for layer in model.layers:  # Glorot's start halves the signal at every ReLU, until biases are all that is left
            if hasattr(layer, "kernel"):
                layer.kernel.assign(layer.kernel * 2**0.5)
    for norm in norms:
        norm.momentum = 0.5
    for _ in range(4 if norms else 0):
        for start in range(0, len(inputs), 16):
            model(inputs[start : start + 16], training=True)
    head = [layer for layer in model.layers if hasattr(layer, "kernel")][-1]  # dense, or a convolution of one pixel
    features = keras.Model(model.input, head.input).predict(inputs, batch_size=8, verbose=0).reshape(len(inputs), -1)
    kernel = head.kernel.numpy()
    scores = features @ kernel.reshape(-1, 1000)
    scale = 2 / np.maximum(scores.std(0), LEAST_SPREAD * np.abs(scores.mean(0)))
    head.set_weights([kernel * scale, -scores.mean(0) * scale])
    model.save(file)


def main(name: str, file: str) -> None:
    """Make one."""
    Path(file).parent.mkdir(parents=True, exist_ok=True)
    if name in TORCHVISION:
        torch_model(name, file)
    elif name in APPLICATIONS:
        keras_model(name, file)
    else:
        sequence_models.save(name, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
