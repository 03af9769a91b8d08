"""ONNX graph passes. Each takes a ModelProto and returns a changed copy's reference; they run inside workers."""
