"""Labelled inputs as safeconvert holds them out, and files run on them outside of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from common import DATA
from PIL import Image

from safeconvert.core.resources import data_folder
from safeconvert.inputs.images import list_images, read_image_file
from safeconvert.inputs.labels import read_labels
from safeconvert.inputs.preprocessing import apply, preset_or_file
from safeconvert.inputs.split import split

HELD_OUT, SEED = 0.5, 0


def with_background(folder: Path, name: str = "imagenet_val") -> Path:
    """A folder of links to the images, with labels that count the background as class 0."""
    images = DATA / "images" / name
    own = folder / f"{name}-1001"
    own.mkdir(exist_ok=True)
    files = list_images(images)
    labels = read_labels(images, [file.name for file in files])
    assert labels is not None
    rows = [f"{file.name},{label + 1}" for file, label in zip(files, labels, strict=True) if label is not None]
    (own / "labels.csv").write_text("\n".join(rows), encoding="utf-8")
    for file in files:
        if not (own / file.name).exists():
            (own / file.name).symlink_to(file)
    return own


def held_out(folder: Path, samples: int, preprocessing: str, size: int) -> tuple[np.ndarray, np.ndarray]:
    """What safeconvert holds out of a folder, and the labels: rows of its `inputs.npy`, or images, channels last."""
    if (folder / "inputs.npy").exists():
        inputs = np.load(folder / "inputs.npy")
        known = read_labels(folder, [str(row) for row in range(len(inputs))])
        assert known is not None
        numbers = list(split(len(inputs), HELD_OUT, SEED).held_out)
        return inputs[numbers], np.array([known[number] for number in numbers])
    files = list_images(folder)[: samples or None]
    known = read_labels(folder, [file.name for file in files])
    assert known is not None
    numbers = [number for number in split(len(files), HELD_OUT, SEED).held_out if known[number] is not None]
    recipe = preset_or_file(preprocessing, data_folder("configs") / "preprocessing.toml")
    images = []
    for number in numbers:
        with read_image_file(files[number]) as image:
            assert isinstance(image, Image.Image)
            images.append(apply(image, recipe, (size, size), 3))
    return np.stack(images).astype(np.float32), np.array([known[number] for number in numbers])


def labels_by(path: Path, inputs: np.ndarray) -> np.ndarray:
    """The labels that a file gives."""
    run = runner(path)
    return np.array([int(run(inputs[number : number + 1]).argmax()) for number in range(len(inputs))])


def runner(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    """One input, an image channels last, to the scores: by ONNX Runtime or LiteRT."""
    if path.name.removesuffix(".rejected").endswith(".onnx"):
        import onnxruntime

        session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
        value = session.get_inputs()[0]
        first = len(value.shape) == 4 and value.shape[1] == 3
        return lambda x: session.run(None, {value.name: x.transpose(0, 3, 1, 2) if first else x})[0]
    from ai_edge_litert.interpreter import Interpreter

    made = Interpreter(model_content=path.read_bytes(), num_threads=1)
    detail = made.get_input_details()[0]
    first = len(detail["shape"]) == 4 and list(detail["shape"])[1] == 3
    made.allocate_tensors()

    def run(x: np.ndarray) -> np.ndarray:
        made.set_tensor(detail["index"], np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if first else x)
        made.invoke()
        return made.get_tensor(made.get_output_details()[0]["index"])

    return run
