"""How far a quantised output lies from the source's, by the figures that people quantise by; no verdict rests on them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Fidelity:
    """One output over a set of samples.

    Attributes:
        name: of the source output.
        sqnr: signal to quantisation noise ratio in dB, 10 log10 of the source's energy over the difference's; inf where there is none.
        cosine: least cosine similarity of a sample.
        median, p99: of the samples' largest distances, in the output's unit.
        steps: the largest distance in steps of the output's scale, the target's where both have one; None where neither is quantised.
    """

    name: str
    sqnr: float
    cosine: float
    median: float
    p99: float
    steps: float | None

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form; what is not finite becomes "inf"."""
        shown = {
            "sqnr_db": self.sqnr,
            "cosine": self.cosine,
            "median": self.median,
            "p99": self.p99,
            "steps": self.steps,
        }
        return {"name": self.name} | {
            key: value if value is None or math.isfinite(value) else repr(value) for key, value in shown.items()
        }


def fidelity(name: str, source: Array, target: Array, scale: float | None) -> Fidelity | None:
    """The figures of an output; None where it is no real number, has another shape, or holds nothing finite.

    Args:
        name: of the source output.
        source, target: real values, samples along axis 0.
        scale: of the output, where it is quantised.
    """
    if source.shape != target.shape or source.dtype.kind != "f" or target.dtype.kind != "f" or not source.size:
        return None
    ours, theirs = (values.reshape(len(values), -1).astype(np.float64) for values in (source, target))
    finite = np.isfinite(ours).all(axis=1) & np.isfinite(theirs).all(axis=1)
    ours, theirs = ours[finite], theirs[finite]
    if not len(ours):
        return None
    apart = np.abs(ours - theirs)
    farthest = apart.max(axis=1)
    noise, signal = float((apart**2).sum()), float((ours**2).sum())
    sqnr = math.inf if noise == 0 else -math.inf if signal == 0 else 10 * math.log10(signal / noise)
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    products = (ours * theirs).sum(axis=1)
    cosines = np.divide(products, norms, out=np.where(farthest == 0, 1.0, 0.0), where=norms > 0)
    steps = float(farthest.max()) / scale if scale else None
    median, p99 = (float(np.quantile(farthest, share)) for share in (0.5, 0.99))
    return Fidelity(name, sqnr, float(min(1.0, cosines.min())), median, p99, steps)
