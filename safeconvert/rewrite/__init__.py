"""ONNX graphs brought into a form that a converter is known to handle."""
