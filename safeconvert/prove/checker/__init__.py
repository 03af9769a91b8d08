"""Re-verifies a proof from the two ONNX graphs alone. Nothing of the prover's search is used here."""
