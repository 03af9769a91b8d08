"""What a verification comes to, as data."""

from __future__ import annotations

from dataclasses import dataclass

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.conversion.models import Evaluated, Export
from safeconvert.core.faults import ExporterVerdict
from safeconvert.core.signature import Signature


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
    """

    contract: Contract
    native: Comparison
    exporter: ExporterCheck
    reason: str
    target: Signature
    exported: Export
    outputs: Evaluated
    joined: Comparison | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExporterCheck:
    """What became of one side's ONNX form.

    Attributes:
        adapter: the exporter; "" where the model is ONNX itself, or none worked.
        verdict: how the form compares with its model.
        reason: one line for `different` and `failed`.
        figures: of the native model against its ONNX form, where that ran.
        outputs: of the ONNX form, where that ran.
        contract: of the native model and its ONNX form, where that ran.
    """

    adapter: str
    verdict: ExporterVerdict
    reason: str
    figures: Comparison | None = None
    outputs: Evaluated | None = None
    contract: Contract | None = None
