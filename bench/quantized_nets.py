"""Small nets with labelled data for the benches of quantisation: `quantized_nets.py FOLDER`.

Keyword spotting as MLPerf Tiny's DS-CNN does it, on spectrograms of ten seeded chirps in noise; convolutions along one axis on ten seeded
waveforms; an encoder as BERT is built, on token numbers whose class is the commonest of ten groups. None is real data: what is measured on them
is what fewer bits do to trained weights of such shapes. Writes `NAME.keras`, and into folders of these names `inputs.npy` and `labels.csv` of
samples that the net was not trained on.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers

CLASSES, SAMPLES, TRAINED = 10, 600, 3000
FRAMES, BANDS = 49, 10  # of a second of speech, as MLPerf Tiny takes it
STEPS = 128
VOCABULARY, LENGTH, WIDTH, HEADS, BLOCKS = 200, 32, 64, 4, 2


def main(folder: Path) -> None:
    """Train and write all of them."""
    for name, samples, net, epochs in (
        ("keywords", chirps, ds_cnn, 6), ("waves", waves, conv1d, 5), ("encoder", sentences, encoder, 8),
    ):  # fmt: skip
        random = np.random.default_rng(0)
        labels = random.integers(0, CLASSES, SAMPLES + TRAINED)
        inputs = samples(random, labels)
        keras.utils.set_random_seed(1)
        model = net()
        model.compile(keras.optimizers.Adam(2e-3), keras.losses.SparseCategoricalCrossentropy())
        model.fit(inputs[SAMPLES:], labels[SAMPLES:], epochs=epochs, batch_size=64, verbose=0)
        model.save(folder / f"{name}.keras")
        (folder / name).mkdir(exist_ok=True)
        np.save(folder / name / "inputs.npy", inputs[:SAMPLES])
        rows = [f"{row},{label}" for row, label in enumerate(labels[:SAMPLES])]
        (folder / name / "labels.csv").write_text("\n".join(["row,label", *rows]))
        right = (model.predict(inputs[:SAMPLES], verbose=0).argmax(1) == labels[:SAMPLES]).mean()
        print(f"{name}: {right:.3f}", flush=True)


def chirps(random: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Log energies (n, 49, 10, 1): a line whose start, slope and bend are the class', somewhere in time, in noise."""
    time, band = np.arange(FRAMES)[:, None] / FRAMES, np.arange(BANDS)[None]
    found = []
    for label in labels:
        own = np.random.default_rng([7, int(label)])
        start, slope, bend = own.uniform(1, 8), own.uniform(-6, 6), own.uniform(-8, 8)
        shift = random.uniform(-0.15, 0.15)
        centre = start + slope * (time - shift) + bend * (time - shift - 0.5) ** 2 + random.normal(0, 0.3)
        energy = np.exp(-0.5 * (band - centre) ** 2) * random.uniform(0.6, 1.4)
        found.append(np.log(energy + np.exp(random.normal(-1.2, 0.8, (FRAMES, BANDS)))))
    return np.stack(found).astype(np.float32)[..., None]


def waves(random: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Readings (n, 128, 3): three sines whose frequencies and phases are the class', in noise."""
    time = np.arange(STEPS)[:, None] / STEPS
    found = []
    for label in labels:
        own = np.random.default_rng([8, int(label)])
        frequency, phase = own.uniform(2, 9, 3), own.uniform(0, 6, 3)
        moved = time + random.uniform(-0.03, 0.03)
        found.append(np.sin(6.28 * frequency * moved + phase) + random.normal(0, 2.2, (STEPS, 3)))
    return np.stack(found).astype(np.float32)


def sentences(random: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Token numbers int32 (n, 32), of which a third are of the class' own twenty."""
    own = labels[:, None] * (VOCABULARY // CLASSES) + random.integers(0, VOCABULARY // CLASSES, (len(labels), LENGTH))
    other = random.integers(0, VOCABULARY, (len(labels), LENGTH))
    return np.where(random.random((len(labels), LENGTH)) < 0.22, own, other).astype(np.int32)


def ds_cnn() -> keras.Model:
    """DS-CNN (Zhang et al., "Hello Edge", 2017): a convolution and four depthwise separable ones of 64 channels."""
    x = y = keras.Input((FRAMES, BANDS, 1))
    y = layers.Conv2D(64, (10, 4), 2, "same", use_bias=False)(y)
    y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y))
    for _ in range(4):
        y = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(y)
        y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y))
        y = layers.Conv2D(64, 1, use_bias=False)(y)
        y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y))
    y = layers.GlobalAveragePooling2D()(y)
    return keras.Model(x, layers.Dense(CLASSES, "softmax")(y))


def conv1d() -> keras.Model:
    """Four convolutions along time, with strides."""
    x = y = keras.Input((STEPS, 3))
    for width, stride in ((24, 1), (32, 2), (48, 2), (64, 2)):
        y = layers.Conv1D(width, 5, stride, "same", use_bias=False)(y)
        y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y))
    y = layers.GlobalAveragePooling1D()(y)
    return keras.Model(x, layers.Dense(CLASSES, "softmax")(y))


def encoder() -> keras.Model:
    """Embeddings, two blocks of attention and two dense layers each with the norm behind the sum, the mean of all tokens."""
    x = keras.Input((LENGTH,), dtype="int32")
    y = layers.Embedding(VOCABULARY, WIDTH)(x)
    for _ in range(BLOCKS):
        y = layers.LayerNormalization()(y + layers.MultiHeadAttention(HEADS, WIDTH // HEADS)(y, y))
        z = layers.Dense(WIDTH)(layers.Dense(4 * WIDTH, "gelu")(y))
        y = layers.LayerNormalization()(y + z)
    y = layers.GlobalAveragePooling1D()(y)
    return keras.Model(x, layers.Dense(CLASSES, "softmax")(y))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
