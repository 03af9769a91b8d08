"""Limits and thresholds of localization and repair."""

from __future__ import annotations

from dataclasses import dataclass

from safeconvert.core.faults import FaultKind


@dataclass(frozen=True)
class RepairSettings:
    """Limits and thresholds; see `[repair]` in default.toml.

    Attributes:
        seconds: wall time after which no further round starts.
        barren_rounds: rounds without an accepted trial after which the repair ends.
        probes: inputs that graphs are aligned on.
        trial_inputs: inputs that a trial is judged on; the end is judged on all.
        rtol: how far equal tensors may be apart, of a tensor's largest magnitude.
        precision_trials: restored constants of a reduced TFLite file that are tried reduced again.
        strategies: kinds of faults in the order in which they are tried.
        core_layers: operators that the published layer analysis ranks.
    """

    seconds: float
    barren_rounds: int
    probes: int
    trial_inputs: int
    rtol: float
    precision_trials: int
    strategies: tuple[FaultKind, ...]
    core_layers: tuple[str, ...]
