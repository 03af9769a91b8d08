"""Run a target on images where neither safeconvert nor a converter can be imported: `in_its_framework.py FORMAT MODEL X.npy Y.npy`."""

import os
import sys

NOT_HERE = ("safeconvert", "onnx2keras", "onnx2torch", "tf2onnx", "onnxmltools", "onnx", "onnxscript")
sys.modules.update(dict.fromkeys(NOT_HERE))  # None in its place: the import fails as if it were not installed
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import numpy as np

format_name, path = sys.argv[1:3]
x = np.load(sys.argv[3])
last = x.transpose(0, 2, 3, 1)
if format_name == "keras":
    import keras

    y = keras.models.load_model(path, safe_mode=True, compile=False)(last)
elif format_name == "torch":
    import torch

    y = torch.export.load(path).module()(torch.from_numpy(x)).detach().numpy()
elif format_name == "tf":
    import tensorflow as tf

    model = tf.saved_model.load(path)
    signature = model.signatures["serving_default"]
    (name,) = signature.structured_input_signature[1]
    y = next(iter(signature(**{name: tf.constant(last)}).values()))
else:
    import tensorflow as tf

    model = tf.lite.Interpreter(path)
    model.allocate_tensors()
    y = []
    for one in last:
        model.set_tensor(model.get_input_details()[0]["index"], one[None])
        model.invoke()
        y.append(model.get_tensor(model.get_output_details()[0]["index"])[0])
np.save(sys.argv[4], np.asarray(y))
