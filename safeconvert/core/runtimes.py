"""Runtimes of `.tflite` files: the one that decides, and others that are asked beside it."""

from __future__ import annotations

from enum import StrEnum


class Runtime(StrEnum):
    """Values of `--tflite-runtime` and `--also-on`.

    `litert` is LiteRT with XNNPACK, which is what apps ship and what decides unless another is asked for. `plain` is LiteRT without XNNPACK, as builds are that leave
    it out; `tensorflow` the interpreter of TensorFlow; `tflm` TensorFlow Lite Micro, for microcontrollers, which runs too few operators to decide.
    """

    LITERT = "litert"
    PLAIN = "plain"
    TENSORFLOW = "tensorflow"
    TFLM = "tflm"

    @property
    def words(self) -> str:
        """Its name for a person."""
        return _WORDS[self]


_WORDS = {
    Runtime.LITERT: "LiteRT with XNNPACK",
    Runtime.PLAIN: "LiteRT without XNNPACK",
    Runtime.TENSORFLOW: "TensorFlow's interpreter",
    Runtime.TFLM: "TensorFlow Lite Micro",
}

DECIDING = (Runtime.LITERT, Runtime.PLAIN, Runtime.TENSORFLOW)
"""Those that a verdict may be of."""
