"""A net with a small and a large input, whose names are in another order than they are: `two_inputs.py FOLDER`.

Writes `two.keras` and `inputs.npz`.
"""

import sys
from pathlib import Path

import keras
import numpy as np

folder = Path(sys.argv[1])
keras.utils.set_random_seed(0)
small, large = keras.Input((8,), name="small"), keras.Input((8,), name="large")
joined = keras.layers.Concatenate()([small, keras.layers.Rescaling(0.01)(large)])
keras.Model([small, large], keras.layers.Dense(6)(joined)).save(folder / "two.keras")
random = np.random.default_rng(0)
values = {name: size * random.normal(size=(240, 8)).astype(np.float32) for name, size in (("small", 1), ("large", 100))}
np.savez(folder / "inputs.npz", **values)
