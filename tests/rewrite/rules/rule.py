"""One rule by its name, for tests."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import onnx


def rule(name: str, reads: frozenset[str] = frozenset()) -> Callable[[onnx.ModelProto], onnx.ModelProto]:
    """The rule as a function of a model alone."""
    rewrite = importlib.import_module(f"safeconvert.rewrite.rules.{name}").rewrite
    return lambda model: rewrite(model, reads)
