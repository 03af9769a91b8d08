"""Carry a repair made in ONNX into the native target."""
