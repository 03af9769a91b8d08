"""What a verification comes to, as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.drop import Drop
from safeconvert.compare.fidelity import Fidelity
from safeconvert.compare.tally import Moments, Tally
from safeconvert.conversion.models import Evaluated, Export
from safeconvert.core.faults import ExporterVerdict
from safeconvert.core.signature import Signature
from safeconvert.inputs.rest import Rest
from safeconvert.inputs.store import Chunk
from safeconvert.localize.findings import ExportFault


@dataclass(frozen=True)
class AtSizes:
    """Calls of other sizes than the inputs', which both models take.

    Attributes:
        tried: the sizes at which target and source are equal.
        differing: how the target differs at another, and at which; "" where it does at none tried.
    """

    tried: tuple[str, ...] = ()
    differing: str = ""


@dataclass(frozen=True)
class Verification:
    """A target compared with its source.

    Attributes:
        contract: which tensors correspond, and how.
        native: source native vs target native on the held-out inputs, or on the steering ones where those refuted it.
        exporter: what became of the target's ONNX form.
        reason: the verdict in one line.
        target: signature of the native target.
        exported: its ONNX form.
        outputs: of the native target.
        remarks: what a reader of the verdict has to know, one line each.
        joined: source native vs target native on inputs made up beside given ones; None where there are none.
        searched: what a search for inputs on which they differ came to; None where there was none.
        reference: an ONNX form that is the target, where `exported` is not and one was found.
        drop: a metric of both, where that decides; None where the comparator does.
        fidelity: how far quantised outputs lie from the source's.
        passed: what was compared in passing, and is in `native`; None where there were no more inputs than the first.
        sizes: what came of calls of other sizes.
        unseen: the steering inputs refuted it by the metric, so that the held-out ones were not asked for it.
        settled: numbers of the made-up samples on which both models round beyond the tolerance, and are proven to be one function.
    """

    contract: Contract
    native: Comparison
    exporter: ExporterCheck
    reason: str
    target: Signature
    exported: Export
    outputs: Evaluated
    joined: Comparison | None = None
    reference: Export | None = None
    remarks: tuple[str, ...] = ()
    searched: Searched | None = None
    drop: Drop | None = None
    fidelity: tuple[Fidelity, ...] = ()
    passed: Passed | None = None
    sizes: AtSizes = AtSizes()
    unseen: bool = False
    settled: tuple[int, ...] = ()

    @property
    def refuted_by_search(self) -> bool:
        """Whether it was a search that found inputs on which the target differs."""
        return self.searched is not None and self.searched.figures is not None


@dataclass(frozen=True)
class Passed:
    """What inputs behind the first ones came to.

    Attributes:
        rest: the inputs.
        first: figures of the first ones alone.
        tally: of the distinct ones, none of which is among the first.
        moments: of all that were compared, by output.
        records: a record of each of the first inputs and of each of these.
        sha256: over the bytes of the first samples and of these, as they were fed.
        apart: the largest relative distance in float64 of those beyond tolerance by rounding alone.
    """

    rest: Rest
    first: Comparison
    tally: Tally
    moments: tuple[Moments, ...]
    records: Path
    sha256: str
    apart: float


@dataclass(frozen=True)
class Searched:
    """What a search for inputs on which source and target differ came to.

    Attributes:
        inputs: distinct ones that both models were run on, besides those of the run.
        rounds: done.
        batch: inputs of a round at most.
        seconds: after which it was to end; None where rounds were counted, so that another run does the same.
        nearest: how near the models came to differing, as a share of what is allowed.
        why: why it ended early; else "".
        known: inputs that refuted a target before it was repaired: run first, and not counted.
        figures: of the inputs on which they differ; None where none was found.
        chunks: the round that holds these, numbered from 0.
        source, target: outputs on that round.
        numbers: of the inputs within the round on which they differ, the farthest apart first.
        missed: bounds that are other numbers in the target, and that no input was found to lie between: the target's node, and a line.
    """

    inputs: int
    rounds: int
    batch: int
    seconds: float | None
    nearest: float
    why: str = ""
    known: int = 0
    figures: Comparison | None = None
    chunks: tuple[Chunk, ...] = ()
    source: Evaluated | None = None
    target: Evaluated | None = None
    numbers: tuple[int, ...] = ()
    missed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ExporterCheck:
    """What became of one side's ONNX form.

    Attributes:
        adapter: the exporter; "" where the model is ONNX itself, or none worked.
        verdict: how the form compares with its model.
        reason: one line for `different` and `failed`.
        figures: of the native model against its ONNX form on the held-out inputs, where that ran; `equal` is over made-up ones too.
        outputs: of the ONNX form, where that ran.
        contract: of the native model and its ONNX form, where that ran.
        made_up: as `figures`, on inputs made up beside given ones; None where there are none.
        searched: as `figures`, on inputs on which a search found a target to differ; None where they were not looked at.
        faults: the layers at which the form leaves its model, where that was looked for.
        unlocalized: why they could not be looked for; "" otherwise.
    """

    adapter: str
    verdict: ExporterVerdict
    reason: str
    figures: Comparison | None = None
    outputs: Evaluated | None = None
    contract: Contract | None = None
    made_up: Comparison | None = None
    searched: Comparison | None = None
    faults: tuple[ExportFault, ...] = ()
    unlocalized: str = ""

    @property
    def all_figures(self) -> tuple[Comparison, ...]:
        """On the held-out inputs, and on made-up and searched ones where there are any; () where it did not run."""
        return tuple(figures for figures in (self.figures, self.made_up, self.searched) if figures is not None)


UNSEEN = ExporterCheck("", ExporterVerdict.NONE, "")
"""Of a form that nobody has looked at yet."""


@dataclass(frozen=True)
class Counted:
    """Numbers of the samples that give a verdict: those held out, and those made up beside given ones."""

    held_out: np.ndarray
    joined: np.ndarray
