"""Whether the ONNX forms of two models are the same graph."""

from __future__ import annotations

from enum import StrEnum

from safeconvert.errors import SafeconvertError
from safeconvert.verification.source import Source
from safeconvert.verification.types import Verification
from safeconvert.workers.engine import call_engine
from safeconvert.workers.run import Run


class Structure(StrEnum):
    """How two ONNX forms compare as graphs."""

    EQUIVALENT = "equivalent"
    """The same graph with equal weights, but for names."""
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """One of them is not there, or cannot be read."""


def compare_structures(run: Run, source: Source, verification: Verification | None) -> Structure:
    """How the ONNX forms of source and target compare. No verdict rests on it."""
    if verification is None or source.exported.path is None or verification.exported.path is None:
        return Structure.UNKNOWN
    arguments = {"source": str(source.exported.path), "target": str(verification.exported.path)}
    try:
        with run.phases.phase("comparing structures"):
            same = call_engine(run, "structure", "comparing structures", arguments)
    except SafeconvertError:
        return Structure.UNKNOWN  # one of them is no graph that can be tidied
    return Structure.EQUIVALENT if same else Structure.DIFFERENT
