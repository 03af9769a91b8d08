"""Nets in integers throughout for `integers.py`, each with inputs beside it, made by safeconvert from float sources where they are not there yet."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import DATA, ROOT, safeconvert
from labelled import held_out, with_background

_COMPARED = 200


@dataclass(frozen=True)
class Net:
    """A float source, its labelled inputs, and how these are fed; of the folder of nets where `source` names no file of the data."""

    name: str
    source: str = ""
    images: str = ""
    recipe: str = ""
    size: int = 0
    samples: int = 600


NETS = (
    Net("keywords"),
    Net("mobilenetv1", "mobilenetv1_025_imagenet_float.tflite", "imagenet_val", "tflite.mobilenet", 224),
    Net("resnet8", "resnet8_cifar10.h5", "cifar10", "raw", 32, 400),
    Net("waves"),
)


def prepare(folder: Path) -> list[str]:
    """Write `NAME.tflite` and `NAME.npy` of each net that is not there yet; the names of those whose source is not at hand."""
    sources = folder / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    if not (sources / "encoder.keras").exists():  # the last that is written
        subprocess.run([sys.executable, ROOT / "bench" / "quantized_nets.py", sources], check=True)
    lacking = []
    for net in NETS:
        target = folder / f"{net.name}.tflite"
        if target.exists():
            continue
        if net.source and not (DATA / "models" / net.source).exists():
            lacking.append(net.name)
        else:
            _write(net, sources, target)
    return lacking


def _write(net: Net, sources: Path, target: Path) -> None:
    source, inputs = sources / f"{net.name}.keras", sources / net.name
    options: tuple[object, ...] = ("--inputs", inputs / "inputs.npy")
    if net.source:
        source, inputs = DATA / "models" / net.source, DATA / "images" / net.images
        inputs = with_background(sources, net.images) if net.recipe.startswith("tflite") else inputs
        options = ("--inputs", inputs, "--preprocessing", net.recipe)
    if source.suffix == ".tflite":  # a target of another format than the source
        made = sources / f"{net.name}.keras"
        _called("convert", source, "--to", "keras", "-o", made, "--samples", 8)
        source = made
    np.save(target.with_suffix(".npy"), held_out(inputs, net.samples, net.recipe, net.size)[0][:_COMPARED])
    code, answer = safeconvert(
        "convert", source, "--to", "tflite", "-o", target, *options, "--samples", net.samples, "--optimize", "int8",
        "--max-drop", 0.05, "--search", 0, "--no-repair",
    )  # fmt: skip
    if code:  # it lost accuracy, and is in integers all the same
        Path(answer["rejected"]).rename(target)


def _called(*words: object) -> None:
    code, answer = safeconvert(*words)
    if code:
        raise RuntimeError(f"{words[1]}: {answer.get('reason')}")
