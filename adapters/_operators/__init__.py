"""ONNX operators expressed in a few primitives, which the last-resort converters offer in their frameworks."""
