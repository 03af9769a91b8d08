"""Where the settings of a run came from, and which tolerances they loosen: for the summary and the certificate."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.config.project_file import Project
from safeconvert.config.settings import Settings, load_settings
from safeconvert.core.runtimes import Runtime
from safeconvert.errors import UnusableInput

_AS_STRICT = (None, "allclose", "exact")
"""Comparators that ask for no less than the choice by output does."""


@dataclass(frozen=True)
class Origin:
    """What a run took from elsewhere than the defaults.

    Attributes:
        file: the settings file; None where there was none.
        sha256: its digest.
        named: given with --config, and not found.
    """

    file: Path | None = None
    sha256: str = ""
    named: bool = False


def origin_of(project: Project | None) -> Origin:
    """The origin of a project's settings. Raises UnusableInput where the file cannot be read any more."""
    if project is None:
        return Origin()
    try:
        return Origin(project.path, hashlib.sha256(project.path.read_bytes()).hexdigest(), project.named)
    except OSError as error:
        raise UnusableInput(f"{project.path}: cannot be read: {error.strerror}") from error


def loosened(verify: VerifySettings, settings: Settings) -> tuple[str, ...]:
    """Every tolerance that is looser than its default, whoever set it: one line each, with the default."""
    return tuple(_loosened(verify, settings))


def _loosened(verify: VerifySettings, settings: Settings) -> Iterator[str]:
    usual = load_settings().verify
    if verify.comparator not in _AS_STRICT:
        yield f"comparator {verify.comparator} instead of the choice by output"
    if verify.drop is not None:
        metric = verify.drop.metric or "accuracy or agreement"
        yield f"{metric} may fall by {verify.drop.allowed:g} instead of a comparison of every input"
    strict = Tolerance(usual.rtol, usual.atol)
    for key, value, default in (
        ("rtol", verify.tolerance.rtol, usual.rtol),
        ("atol", verify.tolerance.atol, usual.atol),
        ("max-discrepancy", verify.max_discrepancy, usual.max_discrepancy),
        ("cosine threshold", verify.cosine_threshold, usual.cosine_threshold),
        ("rounding", settings.verify.rounding, usual.rounding),
    ):
        if value > default:
            yield f"{key} {value:g} instead of {default:g}"
    runtime = settings.tflite.runtime
    if runtime != Runtime.LITERT:
        yield f"TFLite files run in {Runtime(runtime).words} instead of {Runtime.LITERT.words}"
    if verify.nonfinite:
        yield "NaN, and Inf of one sign, at the same places of both outputs are no difference"
    for name, own in verify.tolerances.items():
        if own.rtol > strict.rtol or own.atol > strict.atol:
            yield f"tolerance of {name} {own.rtol:g},{own.atol:g} instead of {strict.rtol:g},{strict.atol:g}"
