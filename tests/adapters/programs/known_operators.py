"""Prints the operators that the installed onnx2keras knows, as JSON."""

import json

from onnx2keras.layers import AVAILABLE_CONVERTERS

print(json.dumps(sorted(AVAILABLE_CONVERTERS)))
