"""In how few bits a target is to be stored and computed."""

from __future__ import annotations

from enum import StrEnum


class Optimize(StrEnum):
    """Values of `--optimize`, by the names that TensorFlow Lite's guide to post-training quantisation gives them.

    `default` and `int8-weights` are one: weights in eight bits, activations quantised while it runs ("dynamic range"). `int8` and
    `int16x8` need inputs to measure the activations' ranges on.
    """

    NONE = "none"
    DEFAULT = "default"
    FLOAT16 = "float16"
    INT8_WEIGHTS = "int8-weights"
    INT8 = "int8"
    INT16X8 = "int16x8"

    @property
    def calibrated(self) -> bool:
        """Whether activations are stored in steps of a range that was measured on inputs."""
        return self in (Optimize.INT8, Optimize.INT16X8)


class Io(StrEnum):
    """Values of `--io`: what a target of `--optimize int8` takes and gives."""

    FLOAT32 = "float32"
    INT8 = "int8"
    UINT8 = "uint8"
