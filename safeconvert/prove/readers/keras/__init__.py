"""Keras files: a configuration, weights, and a table of layers."""
