"""Source and target evaluated and compared natively, and each with its ONNX form."""
