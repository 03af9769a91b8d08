"""Import the drop-ins as a build script does; print whether they are there, and which frameworks that imported."""

import sys

from safeconvert.compat import onnx2keras, onnx2torch, onnxmltools, tf2onnx, tflite, torch_onnx

entries = (
    onnx2torch.convert,
    onnx2keras.onnx_to_keras,
    tf2onnx.convert.from_keras,
    onnxmltools.convert_keras,
    torch_onnx.export,
    tflite.TFLiteConverter.from_keras_model,
)
frameworks = [name for name in ("torch", "tensorflow", "keras", "onnx") if name in sys.modules]
print(all(map(callable, entries)), frameworks)
