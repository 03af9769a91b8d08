"""Native top-1 labels of a model over pictures, in a process of its own: `python bench/labels.py FILE PRESET COUNT OUT`."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from common import DATA, ROOT

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.core.formats import detect
from safeconvert.core.signature import Signature
from safeconvert.inputs.images import open_images
from safeconvert.inputs.preprocessing import load_presets
from safeconvert.workers._worker import load_adapter

IMAGES = DATA / "images" / "imagenet_val"


def main(path: str, preset: str, count: str, out: str, size: str) -> None:
    """Write the labels; a free size of the model is `size`."""
    adapter = load_adapter(str(ROOT / "adapters" / detect(Path(path)).format))
    pixels = int(size)
    shapes = ((1, 3, pixels, pixels), (1, pixels, pixels, 3))
    model = adapter.load(ModelRequest(path, candidate_shapes=shapes).to_json())
    (spec,) = model.signature().inputs
    recipe = load_presets(ROOT / "configs" / "preprocessing.toml")[preset]
    last = 3 in spec.shape[3:]
    layout = replace(spec, layout="NHWC" if last else "NCHW")
    pictures = open_images(IMAGES, Signature((layout,), ()), recipe, int(count))
    labels = []
    for number in range(int(count)):
        outputs = model.predict(pictures.chunk(number, number + 1))
        scores = [array for array in outputs.values() if array.ndim == 2 and array.shape[1] >= 1000]
        labels.append(int(scores[-1].argmax()) if np.isfinite(scores[-1]).all() else -1)
    np.save(out, np.array(labels))


if __name__ == "__main__":
    main(*sys.argv[1:])
