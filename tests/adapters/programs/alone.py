"""Run a target where nothing of safeconvert or of ONNX can be imported: `alone.py MODEL INPUT.npy OUTPUT.npy`."""

import sys

forbidden = ("safeconvert", "adapters", "onnx", "onnxruntime", "onnx2keras", "onnx2torch")
sys.modules.update(dict.fromkeys(forbidden))  # an import of them fails
import numpy as np

path, x = sys.argv[1], np.load(sys.argv[2])
if path.endswith(".keras"):
    import keras

    model = keras.models.load_model(path, safe_mode=True)
    core = {type(layer).__module__.split(".")[0] for layer in model._flatten_layers()}
    assert core == {"keras"} and not any("Lambda" in type(layer).__name__ for layer in model._flatten_layers())
    y = np.asarray(model(x))
else:
    import torch

    y = torch.export.load(path).module()(torch.from_numpy(x))[0].numpy()
np.save(sys.argv[3], y)
