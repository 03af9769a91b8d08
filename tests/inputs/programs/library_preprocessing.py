"""What Keras' own preprocessing makes of pixels, as JSON by name: `library_preprocessing.py PIXELS.npy NAME…`."""

import importlib
import json
import sys

import numpy as np

pixels = np.load(sys.argv[1])
out = {}
for name in sys.argv[2:]:
    module = importlib.import_module("keras.applications." + name)
    out[name] = module.preprocess_input(pixels.astype("float32").copy()[None])[0].reshape(-1).tolist()
print(json.dumps(out))
