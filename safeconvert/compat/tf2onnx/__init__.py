"""Stands where `import tf2onnx` stood: `tf2onnx.convert.from_keras` and its siblings, verified.

`python -m safeconvert.compat.tf2onnx` takes the arguments of `python -m tf2onnx.convert`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    pass


def __getattr__(name: str) -> Any:
    if name == "convert":  # not imported above: `python -m safeconvert.compat.tf2onnx.convert` would warn
        return importlib.import_module("safeconvert.compat.tf2onnx.convert")
    raise AttributeError(f"safeconvert.compat.tf2onnx offers tf2onnx.convert, and has no {name}")
