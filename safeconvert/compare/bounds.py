"""How sure a disagreement rate is."""

from __future__ import annotations

import math


def clopper_pearson_upper(disagreements: int, samples: int, confidence: float = 0.95) -> float:
    """One-sided upper bound on the true disagreement rate, from a sample of inputs.

    The exact (conservative) binomial bound: the rate at which `disagreements` or fewer of `samples` are seen with
    probability 1 - confidence; the `confidence` quantile of Beta(disagreements + 1, samples - disagreements).
    It holds for inputs drawn like those that were tried, and is no statement about others.
    Source: Clopper & Pearson, "The use of confidence or fiducial limits", Biometrika 26 (1934).

    Args:
        disagreements: inputs on which the models disagree.
        samples: inputs tried.
        confidence: probability, over samples, that the bound is not below the true rate.

    Returns:
        A rate between 0 and 1; 1.0 where nothing was tried.

    Raises:
        ValueError: counts that cannot be, or a confidence outside (0, 1).
    """
    if not 0 <= disagreements <= samples:
        raise ValueError(f"{disagreements} disagreements of {samples} samples")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence} is not between 0 and 1")
    if disagreements == samples:
        return 1.0
    if disagreements == 0:  # (1 - rate) ** samples = 1 - confidence
        return -math.expm1(math.log1p(-confidence) / samples)
    from scipy.special import (
        betaincinv,  # scipy.stats has the same and takes ten times as long to import; neither is for what most runs ask
    )

    return float(betaincinv(disagreements + 1, samples - disagreements, confidence))
