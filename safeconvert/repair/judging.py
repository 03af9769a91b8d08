"""A file in fewer bits judged on the steering inputs: what counts as equal there, and what it loses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from safeconvert.compare.changed_labels import surely_less
from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import evaluate, open_model
from safeconvert.verification.interface import request_like
from safeconvert.verification.native import feed_across
from safeconvert.verification.scored import losses, steering_judged
from safeconvert.verification.source import Source
from safeconvert.verification.subset import Subset
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class Judged:
    """A file on the steering inputs.

    Attributes:
        figures: there.
        fall: of the metric there; 0 where there is no metric.
        losses: for each input what the file loses, see `scored.losses`; empty where there is no metric.
        bytes: the file's size.
    """

    figures: Comparison
    fall: float
    losses: np.ndarray
    bytes: int

    @property
    def lost(self) -> float:
        """What is aimed at: by estimate the share of labels that change, or the fall of any other metric."""
        return float(self.losses.mean()) if len(self.losses) else 0.0

    def reaches(self, aim: float) -> bool:
        """Whether it counts as equal, and loses no more than is aimed at."""
        return self.figures.equal and self.lost <= aim

    def surely_better(self, other: Judged) -> bool:
        """Whether it counts as equal where another does not; where both do or neither, whether it loses less with 95 % confidence."""
        if self.figures.equal != other.figures.equal:
            return self.figures.equal
        return surely_less(self.losses, other.losses)


@dataclass(frozen=True)
class Judging:
    """What files are judged by.

    Attributes:
        run: the surroundings.
        source: what they are compared with.
        contract: of the source and each file.
        format: of the files.
        labels: of the steering inputs, by number; None where there are none.
        settings: what counts as equal.
    """

    run: Run
    source: Source
    contract: Contract
    format: str
    labels: np.ndarray | None
    settings: VerifySettings

    def judged(self, path: Path, size: int, on: Subset) -> Judged:
        """A file, which is deleted then; `size` are its bytes. Raises AdapterFailure and UnusableInput where it does not run."""
        session = open_model(self.run, "target", self.format, request_like(path, self.source.session.signature))
        try:
            feeds = feed_across(self.contract, on.chunks, self.run.folder("feed"))
            outputs = evaluate(self.run, session, feeds, "trying precisions")
        finally:
            if session.alive:
                session.close()
            path.unlink()
        figures, drop = steering_judged(self.contract, on, outputs, self.labels, self.settings)
        lost = losses(self.contract, on, outputs, self.labels, self.settings)
        return Judged(figures, drop.fall if drop is not None else 0.0, lost, size)
