"""A wrong file in integers with the fewest of its tensors stored anew: those whose scale, zero point, range or values are what ails it.

What another file of the same model, quantised anew, stores otherwise is taken from there, and everything else is left as it is. What the steering
inputs do not need is left as well, so that without any one of the tensors that are stored anew they lose too much.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import evaluate, open_model
from safeconvert.conversion.route import Candidate
from safeconvert.repair.fewest import Trial, record
from safeconvert.repair.proposals import TargetProposal
from safeconvert.repair.stored import stored_faults
from safeconvert.repair.tflite_file import call_tflite
from safeconvert.verification.interface import request_like
from safeconvert.verification.native import feed_across
from safeconvert.verification.scored import labels_of, steering_figures
from safeconvert.verification.source import Source
from safeconvert.verification.subset import Subset, subset
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class WrongFile:
    """A file in integers.

    Attributes:
        source: what it is compared with, with given inputs only.
        contract: of the two.
        candidate: the file.
        anew: another of the same model.
    """

    source: Source
    contract: Contract
    candidate: Candidate
    anew: Path


@dataclass(frozen=True)
class TensorRepair:
    """A tensor that is stored anew.

    Attributes:
        tensor: its name.
        what: what was wrong with it.
        without: the steering inputs with this one left as it was and all others stored anew.
    """

    tensor: str
    what: str
    without: Comparison


@dataclass(frozen=True)
class StoredProposal(TargetProposal):
    """A file with tensors stored anew.

    Attributes:
        tensors: these.
        bytes: of the file.
        anew: the file that they are taken from.
    """

    tensors: tuple[TensorRepair, ...] = ()
    bytes: int = 0
    anew: Path | None = None


@dataclass(frozen=True)
class _Trials:
    wrong: WrongFile
    settings: VerifySettings
    steering: Subset
    labels: np.ndarray | None

    def judge(self, run: Run, path: Path) -> Comparison:
        """Figures of a file on the steering inputs."""
        session = open_model(run, "target", "tflite", request_like(path, self.wrong.source.session.signature))
        fed = feed_across(self.wrong.contract, self.steering.chunks, run.folder("feed"))
        outputs = evaluate(run, session, fed, "trying tensors stored anew")
        session.close()
        return steering_figures(self.wrong.contract, self.steering, outputs, self.labels, self.settings)


def stored_anew(run: Run, wrong: WrongFile, settings: VerifySettings) -> StoredProposal | None:
    """The file with the fewest tensors stored anew that satisfies the steering inputs; None where no such file does, or nothing is stored otherwise.

    Raises:
        AdapterFailure, UnusableInput: a file cannot be written, or does not run.
    """
    listed = call_tflite(run, "stored_otherwise", wrong.candidate.path, other=wrong.anew)
    names = [str(one["name"]) for one in listed]
    if not names or len(names) > run.settings.repair.precision_trials:
        return None
    source = wrong.source
    numbers = [int(number) for number in source.steering]
    labels = labels_of(source)
    own = labels[numbers] if labels is not None else None
    made = _Trials(wrong, settings, subset(run, source, numbers, first=8), own)
    trials = [Trial((), made.judge(run, wrong.candidate.path))]

    def tried(which: list[int]) -> Comparison:
        known = next((one.figures for one in trials if one.layers == tuple(which)), None)
        if known is None:
            known = made.judge(run, _written(run, wrong, [names[index] for index in which]))
            trials.append(Trial(tuple(which), known))
        return known

    chosen = list(range(len(names)))
    if trials[0].figures.equal or not tried(chosen).equal:
        return None
    without: dict[int, Comparison] = {}
    for index in reversed(range(len(names))):
        figures = tried([other for other in chosen if other != index]) if len(chosen) > 1 else trials[0].figures
        if figures.equal:
            chosen.remove(index)
    for index in chosen:
        fewer = [other for other in chosen if other != index]
        without[index] = tried(fewer) if fewer else trials[0].figures
    path = _written(run, wrong, [names[index] for index in chosen])
    faults = [replace(one, proven=index in chosen) for index, one in enumerate(stored_faults(listed))]
    repairs = tuple(TensorRepair(names[index], str(listed[index]["what"]), without[index]) for index in chosen)
    return StoredProposal(
        f"{len(chosen)} tensors stored anew, all else as it was", replace(wrong.candidate, path=path), source,
        record(faults, {index: index for index in range(len(names))}, chosen, trials), tensors=repairs,
        bytes=path.stat().st_size, anew=wrong.anew,
    )  # fmt: skip


def _written(run: Run, wrong: WrongFile, names: list[str]) -> Path:
    path = run.folder("stored") / wrong.candidate.path.name
    call_tflite(run, "stored_as", wrong.candidate.path, other=wrong.anew, names=names, target=path)
    return path
