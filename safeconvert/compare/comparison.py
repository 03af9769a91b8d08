"""The figures of one comparison, for a person, a program and the certificate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safeconvert.errors import UnusableInput


@dataclass(frozen=True)
class OutputComparison:
    """One output over all samples compared.

    Attributes:
        name: of the source output.
        comparator: the kind that was applied.
        disagreements: samples on which this output disagrees.
        max_abs: largest |source - target|, in the output's unit.
        mean_abs: mean over samples of the mean |source - target| of each.
        relative: largest, over samples, of max|source - target| / max|source|; 0/0 = 0.
        reason: why nothing could agree, where shapes differ; else empty.

    Distances are taken over the samples that are finite on both sides: NaN where there are none. They are inf where
    shapes differ.
    """

    name: str
    comparator: str
    disagreements: int
    max_abs: float
    mean_abs: float
    relative: float
    reason: str = ""


@dataclass(frozen=True)
class Comparison:
    """Two models over a set of samples.

    Attributes:
        samples: compared.
        disagreements: samples on which some output disagrees by its comparator (for `label`: by the label alone).
        discrepancy: disagreements / samples; NaN without samples.
        upper_bound: one-sided 95 % Clopper–Pearson bound on the disagreement rate; 1 without samples.
        ties: samples that agree, but for a tie (see `comparators`).
        nonfinite: samples with NaN or Inf on either side; they are disagreements too. But for those that are counted next.
        propagated: samples with the same NaN or Inf at the same places on both sides, where the settings allow that.
        beyond_tolerance: samples whose distance is not within tolerance, where the comparator requires it.
        max_abs: largest of the outputs.
        mean_abs: mean of the outputs', each output counting the same.
        relative: largest of the outputs.
        equal: something was compared, and the share of samples that disagree or are beyond tolerance is at most
            `max_discrepancy`; or the distances beyond tolerance are rounding.
        outputs: one entry an output.
        disagreeing: numbers of the samples that disagree, ascending; the first 1000.
        rounded: samples beyond tolerance that `equal` puts down to rounding (see `safeconvert.rounding`).
        exact_relative: largest relative distance of the two models on those in float64.
    """

    samples: int
    disagreements: int
    discrepancy: float
    upper_bound: float
    ties: int
    nonfinite: int
    beyond_tolerance: int
    max_abs: float
    mean_abs: float
    relative: float
    equal: bool
    outputs: tuple[OutputComparison, ...]
    disagreeing: tuple[int, ...]
    rounded: int = 0
    exact_relative: float = 0.0
    propagated: int = 0

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form. What is not finite becomes "nan" or "inf", which Python's `float()` reads back."""
        rounding = {"rounding": {"samples": self.rounded, "relative_in_float64": self.exact_relative}}
        return {
            **(rounding if self.rounded else {}),
            **({"propagated": self.propagated} if self.propagated else {}),
            "samples": self.samples,
            "disagreements": self.disagreements,
            "discrepancy": _number(self.discrepancy),
            "upper_bound": self.upper_bound,
            "ties": self.ties,
            "nonfinite": self.nonfinite,
            "beyond_tolerance": self.beyond_tolerance,
            "max_abs": _number(self.max_abs),
            "mean_abs": _number(self.mean_abs),
            "relative": _number(self.relative),
            "equal": self.equal,
            "outputs": [
                {
                    "name": output.name,
                    "comparator": output.comparator,
                    "disagreements": output.disagreements,
                    "max_abs": _number(output.max_abs),
                    "mean_abs": _number(output.mean_abs),
                    "relative": _number(output.relative),
                }
                for output in self.outputs
            ],
            "disagreeing": list(self.disagreeing),
        }

    @classmethod
    def from_json(cls, entry: Mapping[str, Any]) -> Comparison:
        """What `to_json` wrote, without the reasons of its outputs. Raises UnusableInput for anything else."""
        counts = ("samples", "disagreements", "ties", "nonfinite", "beyond_tolerance")
        figures = ("discrepancy", "upper_bound", "max_abs", "mean_abs", "relative")
        try:
            rounding = entry.get("rounding", {"samples": 0, "relative_in_float64": 0.0})
            outputs = tuple(
                OutputComparison(
                    str(one["name"]), str(one["comparator"]), int(one["disagreements"]), float(one["max_abs"]),
                    float(one["mean_abs"]), float(one["relative"]),
                )
                for one in entry["outputs"]
            )  # fmt: skip
            numbers: dict[str, Any] = {name: int(entry[name]) for name in counts}
            numbers |= {name: float(entry[name]) for name in figures}
            return cls(
                **numbers,
                equal=entry["equal"] is True,
                outputs=outputs,
                disagreeing=tuple(int(number) for number in entry["disagreeing"]),
                rounded=int(rounding["samples"]),
                exact_relative=float(rounding["relative_in_float64"]),
                propagated=int(entry.get("propagated", 0)),
            )
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise UnusableInput(f"figures that cannot be read: {error}") from error


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else repr(value)
