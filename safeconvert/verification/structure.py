"""Whether the ONNX forms of two models are the same graph."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from safeconvert.certificate.digest import digest
from safeconvert.conversion.models import Export
from safeconvert.errors import SafeconvertError
from safeconvert.verification.source import Source
from safeconvert.verification.types import Verification
from safeconvert.workers.engine import call_engine
from safeconvert.workers.run import Run


class Structure(StrEnum):
    """How two ONNX forms compare as graphs."""

    EQUIVALENT = "equivalent"
    """The same graph with equal weights, but for names, made by different tools."""
    SAME_FILE = "same file"
    SAME_EXPORTER = "same exporter"
    """The same graph, which shows nothing: one tool made both, or nobody knows which made an existing target."""
    DIFFERENT = "different"
    UNKNOWN = "unknown"
    """One of them is not there, or cannot be read."""


def same_form(one: Export, other: Export) -> bool:
    """Whether two ONNX forms are one file, byte by byte, that an exporter made, with the files beside it that it may name."""
    paths = [one.path, other.path]
    if None in paths or not (one.adapter or other.adapter):
        return False
    if one.path == other.path:
        return True
    return len({_digest(path) for path in paths if path is not None}) == 1


def _digest(path: Path) -> str:
    """Of a file; of its folder where others that it may name lie beside it."""
    beside = any(file.suffix == ".data" for file in path.parent.iterdir())
    return digest(path.parent if beside else path).sha256


def compare_structures(
    run: Run, source: Source, verification: Verification | None, same_file: bool, converter: str
) -> Structure:
    """How the ONNX forms of source and target compare. No verdict rests on it.

    Args:
        run: the surroundings.
        source: the source.
        verification: of the target; None where there is none.
        same_file: source and target are equal byte by byte.
        converter: adapter that wrote the target; "" where that is not known.
    """
    if same_file:
        return Structure.SAME_FILE
    if verification is None or source.exported.path is None or verification.exported.path is None:
        return Structure.UNKNOWN
    if same_form(source.exported, verification.exported):
        return Structure.SAME_EXPORTER
    arguments = {"source": str(source.exported.path), "target": str(verification.exported.path)}
    try:
        with run.phases.phase("comparing structures"):
            same = call_engine(run, "structure", "comparing structures", arguments)
    except SafeconvertError:
        return Structure.UNKNOWN  # one of them is no graph that can be tidied
    if not same:
        return Structure.DIFFERENT
    ours = source.exported.adapter
    maker = verification.exported.adapter or converter or ours
    return Structure.SAME_EXPORTER if ours and maker == ours else Structure.EQUIVALENT
