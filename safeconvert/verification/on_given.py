"""A target compared with its source on given inputs alone: one whose activations were calibrated on such, or one that a metric decides.

Neither promises anything on inputs that nobody would give: made-up ones are left out, and none is searched for. The steering inputs
go first here too: a target whose metric falls by more than allowed on them is not shown the held-out ones.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.drop import Drop
from safeconvert.compare.settings import VerifySettings
from safeconvert.verification.scored import drop_of, fidelities
from safeconvert.verification.source import Source
from safeconvert.verification.types import Verification
from safeconvert.verification.verdict import verdict_line


def judged(
    found: Verification, figures: Accumulator, source: Source, settings: VerifySettings, refuting: np.ndarray | None
) -> Verification:
    """A verification of a target on given inputs, decided by the metric where there is one, else by the comparator; with its reason.

    Args:
        found: as the comparator has it.
        figures: of all given inputs.
        source: with given inputs only.
        settings: what counts as equal.
        refuting: numbers of the steering inputs that refute it by the comparator; None where none does.
    """
    found = replace(found, fidelity=fidelities(found.contract, source, found.outputs, source.held_out))
    if settings.drop is None:
        return replace(found, reason=verdict_line(found, source, refuting))
    drop = drop_of(found.contract, source, found.outputs, source.steering, settings.drop)
    refuted = drop.samples > 0 and drop.fall > settings.drop.allowed
    if refuted:
        native = replace(figures.result(source.steering), equal=False)
        return replace(found, native=native, drop=drop, unseen=True, reason=drop_line(drop, steering=True))
    drop = drop_of(found.contract, source, found.outputs, source.held_out, settings.drop)
    native = replace(figures.result(source.held_out), equal=drop.holds)
    return replace(found, native=native, drop=drop, reason=drop_line(drop, steering=False))


def drop_line(drop: Drop, steering: bool) -> str:
    """The fall of a metric in one line."""
    which = "steering" if steering else "held-out"
    shares = f"{100 * drop.target:.4g} % where the source has {100 * drop.source:.4g} %"
    line = f"{drop.metric} {shares} on {drop.samples} {which} inputs ({drop.lost} lost, {drop.won} won)"
    allowed = f"{100 * drop.allowed:.3g} % allowed"
    if steering:
        return f"{line}; {allowed}"
    verb = "falls" if drop.holds else "may fall"
    sure = f"{100 * drop.confidence:.4g} %"
    return f"{line}; {verb} by {100 * max(drop.upper, 0.0):.3g} % at most with {sure} confidence, {allowed}"
