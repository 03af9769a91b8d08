"""A net of Dense layers that tells clusters apart, and the same function with a channel that costs it much in eight bits: `labelled_net.py FOLDER`.

Writes `even.keras` and `uneven.keras`, and into folders of these names `inputs.npy` and `labels.csv`, of samples that the net was not
trained on.
"""

import sys
from pathlib import Path

import keras
import numpy as np

WIDTHS = (32, 32, 32, 32, 32)
SAMPLES = 600


def main(folder: Path) -> None:
    random = np.random.default_rng(0)
    centres = random.normal(size=(10, 16))
    labels = random.integers(0, 10, 4 * SAMPLES)
    inputs = (centres[labels] + 0.6 * random.normal(size=(len(labels), 16))).astype(np.float32)
    model = net()
    model.fit(inputs[SAMPLES:], labels[SAMPLES:], epochs=12, batch_size=64, verbose=0)
    model.save(folder / "even.keras")
    outlier(model, 200)
    model.save(folder / "uneven.keras")
    rows = [f"{row},{label}" for row, label in enumerate(labels[:SAMPLES])]
    for name in ("even", "uneven"):
        (folder / name).mkdir()
        np.save(folder / name / "inputs.npy", inputs[:SAMPLES])
        (folder / name / "labels.csv").write_text("\n".join(["row,label", *rows]))


def net() -> keras.Model:
    keras.utils.set_random_seed(1)
    x = keras.Input((16,))
    y = x
    for width in WIDTHS:
        y = keras.layers.Dense(width, activation="relu")(y)
    model = keras.Model(x, keras.layers.Dense(10)(y))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def outlier(model: keras.Model, factor: float) -> None:
    """The same function, in which one channel sets the step of all of a layer's activations."""
    (kernel, bias), (after, offset) = (model.layers[layer].get_weights() for layer in (2, 3))
    kernel[:, 3] *= factor
    bias[3] *= factor
    after[3] /= factor
    model.layers[2].set_weights([kernel, bias])
    model.layers[3].set_weights([after, offset])


main(Path(sys.argv[1]))
