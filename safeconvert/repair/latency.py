"""How long a call of reduced targets takes in LiteRT here, beside their float target. A measurement: it decides nothing, and varies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from safeconvert.errors import SafeconvertError
from safeconvert.repair.tflite_file import call_tflite
from safeconvert.workers.run import Run

CALLS = 50


@dataclass(frozen=True)
class Latency:
    """Medians of calls of one sample's size, on zeros, in turns.

    Attributes:
        float_ms, raw_ms, target_ms: milliseconds of the float target, of what the quantizer alone makes of it, and of the target.
        calls: of each.
        threads: of LiteRT, with XNNPACK.
    """

    float_ms: float
    raw_ms: float
    target_ms: float
    calls: int
    threads: int


def measured(run: Run, plain: Path, raw: Path, target: Path) -> Latency | None:
    """Measure three files; None where one of them cannot be called like this."""
    try:
        found = call_tflite(run, "medians", plain, others=[str(raw), str(target)], calls=CALLS)
    except SafeconvertError:  # a file that is called otherwise is verified all the same
        return None
    float_ms, raw_ms, target_ms = (float(one) for one in found["milliseconds"])
    return Latency(float_ms, raw_ms, target_ms, int(found["calls"]), int(found["threads"]))
