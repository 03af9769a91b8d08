"""What "the same" means for one verification: comparator, tolerances and the share of disagreement that is allowed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from safeconvert.core.runtimes import Runtime
from safeconvert.errors import UnusableInput

KINDS = ("label", "top1", "topk", "allclose", "cosine", "exact")
"""The built-in comparators (see `comparators`); anything else is a `package.module:function`."""
METRICS = ("accuracy", "agreement")
"""The built-in metrics (see `metrics`); anything else is a `package.module:function`."""


@dataclass(frozen=True)
class Tolerance:
    """Numbers count as equal when |source - target| <= atol + rtol * max|source output of that sample|.

    The relative part belongs to the sample's scale and not to each element, because a logit near zero carries the
    absolute rounding error of the big ones it was summed with: an elementwise relative error there is noise.

    Attributes:
        rtol: relative part, of the largest absolute value in that output of that sample. Default 1e-4: float32 sums
            taken in another order differ by about 1e-6 of the scale for each layer and by 1e-6 to 3e-5 at the end of
            deep nets, while one changed weight usually moves the output by more than 1e-4.
        atol: absolute part, in the output's unit. Default 1e-5: for outputs whose every value is tiny (softmax over
            many classes, saturated sigmoids), below what changes a decision.
    """

    rtol: float = 1e-4
    atol: float = 1e-5

    def __post_init__(self) -> None:
        """Refuse what no distance could be compared with."""
        if not all(math.isfinite(part) and part >= 0 for part in (self.rtol, self.atol)):
            raise UnusableInput(f"tolerance rtol={self.rtol} atol={self.atol}: both must be finite and not negative")


@dataclass(frozen=True)
class DropSettings:
    """A metric that may fall by so much: what counts instead of each sample's agreement.

    Attributes:
        metric: a name of `metrics.METRICS` or `package.module:function`; "" is accuracy where there are labels, else agreement.
        allowed: the largest fall of the metric, a share; 0.01 is one point of an accuracy.
        confidence: of the bound on the fall.
    """

    metric: str = ""
    allowed: float = 0.01
    confidence: float = 0.95

    def __post_init__(self) -> None:
        """Refuse what no fall can be shown to be below."""
        if not 0 < self.allowed < 1:
            raise UnusableInput(
                f"max drop {self.allowed:g} is not between 0 and 1", "give a share: 0.01 is one point of an accuracy"
            )


@dataclass(frozen=True)
class VerifySettings:
    """How outputs are compared.

    Attributes:
        comparator: one of `KINDS`, or `package.module:function`; None chooses by output (`comparators.choose`).
        tolerance: for every output that has none of its own.
        tolerances: by source output name.
        top_k: labels compared by `topk`; 5 is the customary figure on ImageNet.
        max_discrepancy: share of samples (0..1) that may fail and the models still count as equal. Default 0: a
            conversion promises the same function, so any exception must be requested.
        cosine_threshold: largest 1 - cos that agrees. Default 1e-6, a relative error of 1.4e-3 in the Euclidean norm
            (1 - cos is about half its square): the rounding of float16, for which this looser comparator is meant.
        nonfinite: NaN and Inf at the same places of both outputs, an Inf of the same sign, are no disagreement, and the other numbers
            are compared; counted apart.
        atol_given: the user gave `tolerance.atol`, so that it is not narrowed by an output's range (see `scale`).
        drop: a metric that decides instead of the comparator; None where the comparator does.
        also_on: further runtimes that a TFLite target is run on, and reported where they give something else; they decide nothing.
        given_only: only inputs that were given count: the target was calibrated on such, and promises nothing on others.
    """

    comparator: str | None = None
    tolerance: Tolerance = field(default_factory=Tolerance)
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict)
    top_k: int = 5
    max_discrepancy: float = 0.0
    cosine_threshold: float = 1e-6
    atol_given: bool = False
    drop: DropSettings | None = None
    also_on: tuple[Runtime, ...] = ()
    given_only: bool = False
    nonfinite: bool = False

    def __post_init__(self) -> None:
        """Refuse settings under which no comparison means anything."""
        if self.comparator is not None and self.comparator not in KINDS and ":" not in self.comparator:
            raise UnusableInput(
                f"unknown comparator {self.comparator!r}", f"use one of {', '.join(KINDS)} or package.module:function"
            )
        if self.top_k < 1:
            raise UnusableInput(f"top-k of {self.top_k}: k must be at least 1")
        if not 0 <= self.max_discrepancy <= 1:
            raise UnusableInput(f"max discrepancy {self.max_discrepancy} is not a share between 0 and 1")
        if not 0 <= self.cosine_threshold <= 2:
            raise UnusableInput(f"cosine threshold {self.cosine_threshold} is not between 0 and 2")

    def tolerance_for(self, output: str) -> Tolerance:
        """The tolerance of one source output."""
        return self.tolerances.get(output, self.tolerance)
