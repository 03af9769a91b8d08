"""Runtimes of `.tflite` files besides the one that decides."""

from __future__ import annotations

from enum import StrEnum


class Runtime(StrEnum):
    """Values of `--also-on`.

    What decides is LiteRT with XNNPACK, which is what apps ship. `plain` is LiteRT without it, as builds are that leave it out; `tensorflow` the
    interpreter of TensorFlow; `tflm` TensorFlow Lite Micro, for microcontrollers.
    """

    PLAIN = "plain"
    TENSORFLOW = "tensorflow"
    TFLM = "tflm"

    @property
    def words(self) -> str:
        """Its name for a person."""
        return _WORDS[self]


_WORDS = {
    Runtime.PLAIN: "LiteRT without XNNPACK",
    Runtime.TENSORFLOW: "TensorFlow's interpreter",
    Runtime.TFLM: "TensorFlow Lite Micro",
}
