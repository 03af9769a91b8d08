"""Loads ONNX models and dies when it runs one."""

from __future__ import annotations

import os
import signal

from safeconvert.core.signature import Signature, TensorSpec


class Model:
    def signature(self):
        return Signature(
            (TensorSpec("input", (None, 3, 8, 8), "float32"),), (TensorSpec("output", (None, 10), "float32"),)
        )

    def predict(self, feeds):
        os.kill(os.getpid(), signal.SIGKILL)


def load(request):
    return Model()
